#pragma once

#include <chrono>

namespace coffer::http {

// Tells which requests have waited so long that their answers would come too late. The requests of
// a worker wait in one line, so those who came first are refused first, and the others come to
// their turn sooner.
class OverloadGuard {
 public:
  using Steady = std::chrono::steady_clock;

  explicit OverloadGuard(std::chrono::milliseconds bound) : bound_(bound) {}

  bool TooLate(Steady::time_point received, Steady::time_point now) const {
    return now - received > bound_;
  }
  // True if the request has waited so long that clients begin to give up.
  bool Long(Steady::time_point received, Steady::time_point now) const {
    return now - received > bound_ / 2;
  }

 private:
  const std::chrono::milliseconds bound_;
};

}  // namespace coffer::http
