#include "coffer/base/parse.h"

#include <charconv>
#include <cstdint>
#include <limits>

namespace coffer {
namespace {

// Nanoseconds per unit at the start of `text`; advances past the unit. 0 where there is none.
std::int64_t TakeUnit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
  };
  // Longer names come first, so that "ms" is not read as "m" followed by "s".
  static constexpr Unit kUnits[] = {{"ns", 1},
                                    {"us", 1'000},
                                    {"ms", 1'000'000},
                                    {"s", 1'000'000'000},
                                    {"m", 60'000'000'000},
                                    {"h", 3'600'000'000'000},
                                    {"d", 86'400'000'000'000}};
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return unit.nanoseconds;
    }
  }
  return 0;
}

auto BadDuration() { return Fail(Refusal::kNotADuration); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<std::int64_t> ParseInt64(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stopped != end) {
    return Fail(Refusal::kNotAnInteger);
  }
  return value;
}

Result<std::int64_t> ParseDurationSeconds(std::string_view text) {
  if (const auto seconds = ParseInt64(text)) return *seconds;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return BadDuration();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t total = 0;
  while (!text.empty()) {
    // A decimal number: digits[.digits], at least one digit.
    __int128 whole = 0;
    __int128 fraction = 0;
    __int128 scale = 1;
    bool digits = false;
    for (; !text.empty() && IsDigit(text.front()); text.remove_prefix(1)) {
      whole = whole * 10 + (text.front() - '0');
      if (whole > kMax) return BadDuration();
      digits = true;
    }
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      for (; !text.empty() && IsDigit(text.front()); text.remove_prefix(1)) {
        digits = true;
        if (scale >= 1'000'000'000'000) continue;  // beyond any unit's precision
        fraction = fraction * 10 + (text.front() - '0');
        scale *= 10;
      }
    }
    const std::int64_t unit = TakeUnit(text);
    if (!digits || unit == 0) return BadDuration();
    const __int128 sum = total + whole * unit + fraction * unit / scale;
    if (sum > kMax) return BadDuration();
    total = static_cast<std::int64_t>(sum);
  }
  const std::int64_t seconds = total / 1'000'000'000;
  return negative ? -seconds : seconds;
}

Result<bool> ParseBool(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return false;
  }
  return Fail(Refusal::kNotABoolean);
}

}  // namespace coffer
