#pragma once

#include <chrono>

namespace coffer::http {

// Tells which requests cannot be answered within the time that their clients wait. They wait in one
// line for each worker, so that those who came first are told first, and the others' chances rise.
class OverloadGuard {
 public:
  using Steady = std::chrono::steady_clock;

  explicit OverloadGuard(std::chrono::milliseconds bound) : bound_(bound) {}

  bool TooLate(Steady::time_point received, Steady::time_point now) const {
    return now - received > bound_;
  }
  // So long that clients begin to give up.
  bool Long(Steady::time_point received, Steady::time_point now) const {
    return now - received > bound_ / 2;
  }

 private:
  const std::chrono::milliseconds bound_;
};

}  // namespace coffer::http
