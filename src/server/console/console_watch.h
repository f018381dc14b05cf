#pragma once

#include <chrono>
#include <utility>

#include "coffer/base/logger.h"
#include "coffer/base/stall_watch.h"

namespace coffer::server {

// A command on the console shall not wait for a token for ever: a script would. After five seconds
// it is said, after five minutes the process ends with status 75. Looks at a step as a whole, which
// is many calls: hence so much longer than a server's ten seconds for one call.
class ConsoleWatch {
 public:
  static constexpr StallWatch::Limits kLimits{.wait = std::chrono::seconds(5),
                                              .hang = std::chrono::minutes(5)};
  explicit ConsoleWatch(Logger& logger, StallWatch::Limits limits = kLimits);

  // Runs a step that calls into the token and asks nobody; its result. Not nested; one thread.
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
