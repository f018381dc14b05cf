#include "coffer/base/clock.h"

#include <cstddef>

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

namespace {

// `number` as `digits` decimal digits.
void AppendDigits(std::int64_t number, std::size_t digits, std::string& out) {
  const std::size_t begin = out.size();
  out.append(digits, '0');
  for (std::size_t i = digits; i > 0; --i, number /= 10) {
    out[begin + i - 1] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

std::string Rfc3339(SystemTime time) {
  std::string out;
  out.reserve(32);
  AppendRfc3339(time, out);
  return out;
}

void AppendRfc3339(SystemTime time, std::string& out) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  AppendDigits(static_cast<int>(date.year()), 4, out);
  out += '-';
  AppendDigits(static_cast<unsigned>(date.month()), 2, out);
  out += '-';
  AppendDigits(static_cast<unsigned>(date.day()), 2, out);
  out += 'T';
  AppendDigits(clock.hours().count(), 2, out);
  out += ':';
  AppendDigits(clock.minutes().count(), 2, out);
  out += ':';
  AppendDigits(clock.seconds().count(), 2, out);
  if (const std::int64_t nanoseconds = std::chrono::nanoseconds(clock.subseconds()).count();
      nanoseconds > 0) {
    out += '.';
    AppendDigits(nanoseconds, 9, out);
    out.erase(out.find_last_not_of('0') + 1);
  }
  out += 'Z';
}

}  // namespace coffer
