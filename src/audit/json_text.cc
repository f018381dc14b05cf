#include "audit/json_text.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "coffer/base/utf8.h"

namespace coffer::audit {
namespace {

// Four hexadecimal digits at `at`, or -1.
int HexQuad(std::string_view raw, std::size_t at) {
  if (at + 4 > raw.size()) return -1;
  int value = 0;
  const auto [end, error] = std::from_chars(raw.data() + at, raw.data() + at + 4, value, 16);
  return error == std::errc{} && end == raw.data() + at + 4 && raw[at] != '-' ? value : -1;
}

// \uXXXX at `at` (of the backslash), a surrogate pair as one; returns how many bytes it took.
std::size_t AppendUnicodeEscape(std::string_view raw, std::size_t at, std::string& out) {
  const int first = HexQuad(raw, at + 2);
  if (first < 0) {
    out += raw[at];
    return 1;
  }
  const bool high = first >= 0xd800 && first < 0xdc00;
  if (high && at + 7 < raw.size() && raw[at + 6] == '\\' && raw[at + 7] == 'u') {
    const int second = HexQuad(raw, at + 8);
    if (second >= 0xdc00 && second < 0xe000) {
      AppendUtf8(0x10000U + (static_cast<std::uint32_t>(first - 0xd800) << 10) +
                     static_cast<std::uint32_t>(second - 0xdc00),
                 out);
      return 12;
    }
  }
  AppendUtf8(static_cast<std::uint32_t>(first), out);
  return 6;
}

}  // namespace

void AppendNumber(std::uint64_t number, std::string& out) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

std::string UnescapeJson(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    if (raw[at] != '\\' || at + 1 >= raw.size()) {
      out += raw[at++];
      continue;
    }
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    const char name = raw[at + 1];
    if (name == 'u') {
      at += AppendUnicodeEscape(raw, at, out);
    } else if (const auto found = kNames.find(name); found != std::string_view::npos) {
      out += kValues[found];
      at += 2;
    } else {
      out += raw[at++];
    }
  }
  return out;
}

}  // namespace coffer::audit
