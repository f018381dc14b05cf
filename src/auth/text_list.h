#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coffer/base/bytes.h"

namespace coffer::auth {

// A list of texts as one column of a row: each is its length in four bytes, the lowest first, and
// its bytes.
Bytes EncodeTexts(const std::vector<std::string>& texts);
// Nothing for bytes that EncodeTexts() did not make.
std::optional<std::vector<std::string>> DecodeTexts(ByteView bytes);

}  // namespace coffer::auth
