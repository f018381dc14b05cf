#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/counters.h"

namespace coffer::metrics {

enum class Type { kCounter, kGauge, kHistogram };

// A metric: what all its series have in common. The name begins with "coffer_" (or "process_", as
// every Prometheus client's), names the base unit ("_seconds", "_bytes"), and a counter's ends in
// "_total".
struct Family {
  std::string name;
  std::string help;
  Type type = Type::kGauge;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

// Takes a family's series while it is read.
class Samples {
 public:
  virtual ~Samples() = default;
  virtual void Add(double value, Labels labels = {}) = 0;                     // counters and gauges
  virtual void Add(const DurationCounts& durations, Labels labels = {}) = 0;  // histograms
  void Add(std::uint64_t value, Labels labels = {}) {
    Add(static_cast<double>(value), std::move(labels));
  }
};

// What the server can say in numbers. Rooms count in instruments of their own (coffer/base/
// counters.h) and know nothing of this: whoever wires them registers how they are read. Add() at
// the start, on one thread; then reading is thread-safe where the sources are.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // `read` gives the series of the moment, none too; called by each PrometheusText() on its thread.
  // A name stands once: a second one ends the process, a defect.
  void Add(Family family, std::function<void(Samples&)> read);
  // For a family of one series without labels.
  void AddValue(Family family, std::function<double()> read);

  // Prometheus' text format 0.0.4, by prometheus-cpp.
  std::string PrometheusText() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::string_view kPrometheusContentType = "text/plain; version=0.0.4";

}  // namespace coffer::metrics
