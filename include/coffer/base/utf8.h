#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer {

// Well-formed UTF-8 as Unicode 15, table 3-7 has it: no overlong form, no surrogate, nothing above
// U+10FFFF. The empty text is well-formed.
bool IsUtf8(std::string_view text);

// The bytes of the character at `at`; 0 where there is none.
std::size_t Utf8Octets(std::string_view text, std::size_t at);

// Appends the character with this number, at most 0x10ffff.
void AppendUtf8(std::uint32_t point, std::string& out);

}  // namespace coffer
