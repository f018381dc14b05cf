#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "api/engine_type.h"
#include "api/key_counts.h"
#include "api/request_counts.h"

namespace coffer::api {

// The counters that a request belongs to, as far as they are known. Its views point into the
// request and the table.
struct Metered {
  RequestCounts::Place place = RequestCounts::kNone;
  std::shared_ptr<const mounts::Mount> mount;  // the mount of the key that the request uses
  std::string_view key;
  std::string_view pattern;
};

// Counts requests by operation and, if that is configured, by key; logs each at level debug. Any
// thread.
class RequestMeter {
 public:
  // `registry` gets the counters; it may be null.
  RequestMeter(const Registry& engines, metrics::Registry* registry, std::size_t key_series,
               Logger& logger);

  void NoteOperation(const RegisteredEngine& engine, const EndpointTable::Match& match,
                     const std::shared_ptr<const mounts::Mount>& mount, const Operation& operation,
                     Metered& metered) const;
  // `worker` is the number of the thread that answers.
  void Count(const http::Request& request, std::size_t worker, int status, const Metered& metered);
  void CountRefused(int status) { requests_.NoteRefused(status); }

 private:
  Logger& logger_;
  RequestCounts requests_;
  KeyCounts keys_;
};

}  // namespace coffer::api
