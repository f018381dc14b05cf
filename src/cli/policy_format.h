#pragma once

#include <string>
#include <string_view>

#include "coffer/base/result.h"

namespace coffer::cli {

// A policy with even indentation, in which the equals signs of neighbouring lines stand below each
// other. Comments stay. kInvalid, with line and column, for a text that is no policy. JSON is
// returned as it is.
Result<std::string> FormattedPolicy(std::string_view text);

// Replaces the content of a file, whole or not at all.
Status ReplaceFile(const std::string& file, std::string_view content);

}  // namespace coffer::cli
