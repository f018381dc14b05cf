#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/engine_type.h"
#include "coffer/base/counters.h"
#include "coffer/metrics/registry.h"

namespace coffer::api {

// Counts requests and the time that they took, for each operation of each engine. Each worker
// counts in a shard of its own, and the custodian in that of its request's worker: there is no
// lock, no look-up, and hardly a cache line that two threads write. Any thread.
class RequestCounts {
 public:
  explicit RequestCounts(const Registry& engines);

  struct Name {
    std::string_view engine;
    std::string_view endpoint;
    std::string_view operation;
  };

  // The number of an operation; kNone is for requests whose operation is unknown.
  using Place = std::size_t;
  static constexpr Place kNone = 0;
  static Place PlaceOf(const Operation& operation) { return operation.number; }
  const Name& NameOf(Place place) const { return names_[place]; }
  void Note(std::size_t worker, Place place, int status, std::chrono::nanoseconds took);
  void NoteRefused(int status) { refused_[StatusRow(status)].Add(); }

  // Registers coffer_requests_total, coffer_request_duration_seconds and
  // coffer_refused_requests_total. This object must outlive the reading.
  void Register(metrics::Registry& registry) const;

 private:
  // The statuses of the errors of the api and http rooms. A client may choose others for
  // sys/health; those share the last row.
  static constexpr std::array kStatuses{200, 204, 400, 403, 404, 405, 408, 409, 411, 413,
                                        414, 415, 417, 429, 431, 500, 501, 503, 505};
  static constexpr std::size_t kShards = 8;
  using ByStatus = std::array<Counter, kStatuses.size() + 1>;
  struct Series {
    DurationHistogram durations;
    ByStatus by_status;
  };

  static std::size_t StatusRow(int status);
  static std::string StatusText(std::size_t row);
  metrics::Labels LabelsOf(Place place) const;

  std::vector<Name> names_;  // by place
  std::array<std::unique_ptr<Series[]>, kShards> shards_;
  ByStatus refused_;
};

}  // namespace coffer::api
