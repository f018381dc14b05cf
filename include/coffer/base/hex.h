#pragma once

#include <cstdint>
#include <string>

namespace coffer {

// Two lower-case digits. ToHex (coffer/base/bytes.h) is for more than one.
void AppendHex(std::uint8_t byte, std::string& out);

}  // namespace coffer
