#include "coffer/metrics/registry.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace coffer::metrics {
namespace {

prometheus::MetricType TypeOf(Type type) {
  switch (type) {
    case Type::kCounter:
      return prometheus::MetricType::Counter;
    case Type::kGauge:
      return prometheus::MetricType::Gauge;
    case Type::kHistogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

double Seconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

// Adds samples to one family of prometheus-cpp.
class FamilySamples final : public Samples {
 public:
  explicit FamilySamples(prometheus::MetricFamily& family) : family_(family) {}

  using Samples::Add;
  void Add(double value, Labels labels) override {
    prometheus::ClientMetric& metric = New(std::move(labels));
    metric.counter.value = value;
    metric.gauge.value = value;
  }
  void Add(const DurationCounts& durations, Labels labels) override {
    prometheus::ClientMetric::Histogram& histogram = New(std::move(labels)).histogram;
    for (std::size_t i = 0; i < durations.buckets.size(); ++i) {
      histogram.sample_count += durations.buckets[i];
      const double bound = i < kDurationBounds.size()
                               ? Seconds(static_cast<std::uint64_t>(kDurationBounds[i].count()))
                               : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = Seconds(durations.nanoseconds);
  }

 private:
  prometheus::ClientMetric& New(Labels&& labels) {
    prometheus::ClientMetric& metric = family_.metric.emplace_back();
    for (auto& [name, value] : labels) metric.label.push_back({name, std::move(value)});
    return metric;
  }
  prometheus::MetricFamily& family_;
};

}  // namespace

struct Registry::Impl final : public prometheus::Collectable {
  struct Source {
    Family family;
    std::function<void(Samples&)> read;
  };

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> families;
    families.reserve(sources.size());
    for (const Source& source : sources) {
      prometheus::MetricFamily& family = families.emplace_back();
      family.name = source.family.name;
      family.help = source.family.help;
      family.type = TypeOf(source.family.type);
      FamilySamples samples(family);
      source.read(samples);
    }
    return families;
  }

  std::vector<Source> sources;
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

void Registry::Add(Family family, std::function<void(Samples&)> read) {
  const bool taken =
      std::any_of(impl_->sources.begin(), impl_->sources.end(),
                  [&](const Impl::Source& other) { return other.family.name == family.name; });
  if (taken) std::abort();
  impl_->sources.push_back({std::move(family), std::move(read)});
}

void Registry::AddValue(Family family, std::function<double()> read) {
  Add(std::move(family), [read = std::move(read)](Samples& samples) { samples.Add(read()); });
}

std::string Registry::PrometheusText() const {
  return prometheus::TextSerializer().Serialize(impl_->Collect());
}

}  // namespace coffer::metrics
