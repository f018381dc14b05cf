#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace coffer {

using SystemTime = std::chrono::system_clock::time_point;

// The clock that rooms read, so that a test can set the time. Thread-safe; it does not fail.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SystemTime Now() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  SystemTime Now() const override { return std::chrono::system_clock::now(); }
};

std::int64_t UnixSeconds(SystemTime time);
std::int64_t UnixNanoseconds(SystemTime time);
SystemTime FromUnixNanoseconds(std::int64_t nanoseconds);
// RFC 3339 in UTC with nanoseconds, trailing zeros cut as Go's time.RFC3339Nano does.
std::string Rfc3339(SystemTime time);
void AppendRfc3339(SystemTime time, std::string& out);

}  // namespace coffer
