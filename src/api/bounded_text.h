#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace coffer::api {

// Returns a text that quotes a client, cut between two characters and ended by "..." if it is
// longer than `most` bytes.
inline std::string BoundedText(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most;
  // A text that is no UTF-8 is cut near there, between any two bytes.
  const auto inside = [&] { return (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80; };
  while (end > 0 && most - end < 4 && inside()) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace coffer::api
