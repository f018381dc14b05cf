#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "api/engine_type.h"
#include "api/key_counts.h"
#include "api/request_counts.h"

namespace coffer::api {

// What a request counts as, as far as it is known. Views into the request and the table.
struct Metered {
  RequestCounts::Place place = RequestCounts::kNone;
  std::shared_ptr<const mounts::Mount> mount;  // of a key's operation
  std::string_view key;
  std::string_view pattern;
};

// Counts requests: by operation, and by key where that is wanted; logs each at level debug. Any
// thread.
class RequestMeter {
 public:
  // `registry`: what is told of it; may be null.
  RequestMeter(const Registry& engines, metrics::Registry* registry, std::size_t key_series,
               Logger& logger);

  void NoteOperation(const RegisteredEngine& engine, const EndpointTable::Match& match,
                     const std::shared_ptr<const mounts::Mount>& mount, const Operation& operation,
                     Metered& metered) const;
  // `worker`: the thread that answers.
  void Count(const http::Request& request, std::size_t worker, int status, const Metered& metered);
  void CountRefused(int status) { requests_.NoteRefused(status); }

 private:
  Logger& logger_;
  RequestCounts requests_;
  KeyCounts keys_;
};

}  // namespace coffer::api
