#pragma once

// The server's metrics, as Prometheus reads them. The program's wiring owns one Registry and
// registers how each room's numbers are read; the rooms outlive the reading. Add() is called at the
// start by one thread, after that any thread may read. There are no errors: a metric registered
// twice is a defect and ends the process.
// Example: `registry.AddValue({"coffer_x_total", "Things done.", Type::kCounter}, [&] { return
// things.Value(); });`

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

// The name, help and type that all series of one metric share. The name begins with "coffer_" (or
// with "process_", as in every Prometheus client) and contains the base unit ("_seconds",
// "_bytes"); a counter's name ends in "_total".
struct Family {
  std::string name;
  std::string help;
  Type type = Type::kGauge;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

// Receives the series of a family while they are read.
class Samples {
 public:
  virtual ~Samples() = default;
  virtual void Add(double value, Labels labels = {}) = 0;                     // counters and gauges
  virtual void Add(const DurationCounts& durations, Labels labels = {}) = 0;  // histograms
  void Add(std::uint64_t value, Labels labels = {}) {
    Add(static_cast<double>(value), std::move(labels));
  }
};

// The metrics of a server. Rooms count in instruments of their own (coffer/base/counters.h) and do
// not know this class: the wiring registers how the instruments are read. Add() is for the start,
// on one thread; reading afterwards is thread-safe if the sources are.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // `read` adds the present series, possibly none. Each PrometheusText() calls it on its own
  // thread. A name must be added once only: adding it again is a defect and ends the process.
  void Add(Family family, std::function<void(Samples&)> read);
  // Adds a family of one series without labels.
  void AddValue(Family family, std::function<double()> read);

  // All metrics in Prometheus' text format 0.0.4, written by prometheus-cpp.
  std::string PrometheusText() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::string_view kPrometheusContentType = "text/plain; version=0.0.4";

}  // namespace coffer::metrics
