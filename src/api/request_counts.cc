#include "request_counts.h"

#include <algorithm>
#include <string>
#include <utility>

namespace coffer::api {

RequestCounts::RequestCounts() {
  names_.push_back({"none", "none", "none"});
  for (const EngineKind engine : kEngines) {
    first_[static_cast<std::size_t>(engine)] = names_.size();
    for (const Endpoint& endpoint : TableOf(engine).Endpoints()) {
      for (const Operation& operation : endpoint.operations) {
        names_.push_back({EngineName(engine), endpoint.pattern, VerbName(operation.verb)});
      }
    }
  }
  for (auto& shard : shards_) shard = std::make_unique<Series[]>(names_.size());
}

std::size_t RequestCounts::StatusRow(int status) {
  const auto found = std::find(kStatuses.begin(), kStatuses.end(), status);
  return static_cast<std::size_t>(found - kStatuses.begin());
}

std::string RequestCounts::StatusText(std::size_t row) {
  return row < kStatuses.size() ? std::to_string(kStatuses[row]) : "other";
}

void RequestCounts::Note(std::size_t worker, Place place, int status,
                         std::chrono::nanoseconds took) {
  Series& series = shards_[worker % kShards][place];
  series.durations.Observe(took);
  series.by_status[StatusRow(status)].Add();
}

metrics::Labels RequestCounts::LabelsOf(Place place) const {
  const Name& name = names_[place];
  return {{"engine", std::string(name.engine)},
          {"endpoint", std::string(name.endpoint)},
          {"operation", std::string(name.operation)}};
}

void RequestCounts::Register(metrics::Registry& registry) const {
  registry.Add({"coffer_requests_total", "Requests answered, by operation and HTTP status.",
                metrics::Type::kCounter},
               [this](metrics::Samples& samples) {
                 for (Place place = 0; place < names_.size(); ++place) {
                   for (std::size_t row = 0; row <= kStatuses.size(); ++row) {
                     std::uint64_t count = 0;
                     for (const auto& shard : shards_) {
                       count += shard[place].by_status[row].Value();
                     }
                     if (count == 0) continue;
                     metrics::Labels labels = LabelsOf(place);
                     labels.emplace_back("code", StatusText(row));
                     samples.Add(count, std::move(labels));
                   }
                 }
               });
  registry.Add({"coffer_request_duration_seconds",
                "Time from a request's last byte to its answer, with its wait for the custodian.",
                metrics::Type::kHistogram},
               [this](metrics::Samples& samples) {
                 for (Place place = 0; place < names_.size(); ++place) {
                   DurationCounts sum;
                   for (const auto& shard : shards_) sum.Add(shard[place].durations.Counts());
                   if (sum.Count() > 0) samples.Add(sum, LabelsOf(place));
                 }
               });
  registry.Add({"coffer_refused_requests_total",
                "Requests that no endpoint saw: malformed, too large, too slow or shed.",
                metrics::Type::kCounter},
               [this](metrics::Samples& samples) {
                 for (std::size_t row = 0; row <= kStatuses.size(); ++row) {
                   const std::uint64_t count = refused_[row].Value();
                   if (count > 0) samples.Add(count, {{"code", StatusText(row)}});
                 }
               });
}

}  // namespace coffer::api
