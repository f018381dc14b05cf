#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "coffer/base/clock.h"

namespace coffer {

// The interface by which rooms register periodic jobs, at the start. Jobs run one at a time on the
// custodian's thread; they must be idempotent and take the time from their argument. A job that is
// late runs once, not once per missed period.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual void AddPeriodic(std::string name, std::chrono::milliseconds period,
                           std::function<void(SystemTime now)> job) = 0;
};

}  // namespace coffer
