#pragma once

#include <string_view>

namespace coffer {

// Well-formed UTF-8 as Unicode 15, table 3-7 has it: no overlong form, no surrogate, nothing above
// U+10FFFF. The empty text is well-formed.
bool IsUtf8(std::string_view text);

}  // namespace coffer
