#pragma once

#include <cstdint>
#include <string_view>

namespace coffer::http {

// The small grammars of a request's head (RFC 9110, 5.6).
bool IsToken(std::string_view text);
inline bool IsVisible(char c) { return c > 0x20 && c < 0x7f; }
// A name or an address with an optional port, as Host has it (RFC 9110, 7.2); not empty.
bool IsHost(std::string_view text);
// True if the list, separated by commas, has the word in any case.
bool ListHas(std::string_view list, std::string_view word);
// Reads a length: digits only, at most 18 of them.
bool ParseLength(std::string_view text, std::uint64_t& value);
// Reads the size at the beginning of a chunk: hexadecimal digits only, at most 15 of them.
// Extensions after it are checked and ignored.
bool ParseChunkLine(std::string_view line, std::uint64_t& size);

}  // namespace coffer::http
