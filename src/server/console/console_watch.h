#pragma once

#include <chrono>
#include <utility>

#include "coffer/base/logger.h"
#include "coffer/base/stall_watch.h"

namespace coffer::server {

// The watch keeps a command on the console from waiting for a token for ever, as a script would let
// it. After five seconds a line says that the command waits; after five minutes the process ends
// with status 75. A step is many calls of the token, so these times are longer than a server's ten
// seconds for one call.
class ConsoleWatch {
 public:
  static constexpr StallWatch::Limits kLimits{.wait = std::chrono::seconds(5),
                                              .hang = std::chrono::minutes(5)};
  explicit ConsoleWatch(Logger& logger, StallWatch::Limits limits = kLimits);

  // Runs a step that calls into the token and asks the operator nothing; returns its result. Not
  // nested; one thread.
  template <typename Step>
  auto During(Step&& step) {
    const Mark mark(clock_);
    return std::forward<Step>(step)();
  }

 private:
  struct Mark {
    explicit Mark(WorkClock& its_clock) : clock(its_clock) {
      clock.Begin(std::chrono::steady_clock::now());
    }
    ~Mark() { clock.End(); }
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;
    WorkClock& clock;
  };

  WorkClock clock_;
  StallWatch watch_;  // its thread reads the one above
};

}  // namespace coffer::server
