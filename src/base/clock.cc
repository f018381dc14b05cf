#include "coffer/base/clock.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace coffer {

std::int64_t UnixNanoseconds(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::int64_t UnixSeconds(SystemTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

SystemTime FromUnixNanoseconds(std::int64_t nanoseconds) {
  return SystemTime(
      std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(nanoseconds)));
}

std::string Rfc3339(SystemTime time) {
  const std::time_t seconds = UnixSeconds(time);
  const std::int64_t nanoseconds = UnixNanoseconds(time) - seconds * 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out = text.data();
  if (nanoseconds > 0) {
    std::snprintf(text.data(), text.size(), ".%09lld", static_cast<long long>(nanoseconds));
    std::string fraction = text.data();
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += fraction;
  }
  return out + "Z";
}

}  // namespace coffer
