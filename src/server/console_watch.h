#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

#include "coffer/base/logger.h"
#include "coffer/keyring/token_watch.h"

namespace coffer::server {

// A command on the console shall not wait for a token for ever: a script would. After five seconds
// it is said, after five minutes the process ends with status 75. Looks at a step as a whole, which
// is many calls: hence so much longer than a server's ten seconds for one call.
class ConsoleWatch {
 public:
  static constexpr keyring::TokenWatch::Limits kLimits{.wait = std::chrono::seconds(5),
                                                       .hang = std::chrono::minutes(5),
                                                       .period = std::chrono::milliseconds(100)};
  explicit ConsoleWatch(Logger& logger, keyring::TokenWatch::Limits limits = kLimits);

  // Runs a step that calls into the token and asks nobody; its result. Not nested; one thread.
  template <typename Step>
  auto During(Step&& step) {
    const Mark mark(begun_);
    return std::forward<Step>(step)();
  }

 private:
  // Nanoseconds on the steady clock; 0: no step.
  using Begun = std::atomic<std::int64_t>;
  struct Mark {
    explicit Mark(Begun& place);
    ~Mark() { begun.store(0); }
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;
    Begun& begun;
  };

  Begun begun_{0};
  keyring::TokenWatch watch_;  // its thread reads the one above
};

}  // namespace coffer::server
