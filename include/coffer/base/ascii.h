#pragma once

#include <string>
#include <string_view>

namespace coffer {

// Letters and digits as protocols define them, whatever the locale. A byte from 0x80 up is neither.

constexpr char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// The text without the characters of `blanks` at its ends. The result is always a part of `text`;
// if nothing is left it is empty and stands at the end of `text`.
std::string_view Trim(std::string_view text, std::string_view blanks = " \t");

// The value of a hexadecimal digit of either case; -1 for anything else.
constexpr int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Decodes "%41" (RFC 3986, 2.1), once; with `plus_is_blank` as forms and queries have it. False
// where an escape is broken. Replaces `out`, whose capacity is kept, and which does not grow on the
// way: no copy of a secret remains.
bool PercentDecode(std::string_view text, bool plus_is_blank, std::string& out);

}  // namespace coffer
