#pragma once

#include <cstdint>
#include <string_view>

#include "coffer/base/result.h"

namespace coffer {

// Decimal, optional leading '-', no blanks, no '+', whole input, in range; else kInvalid.
Result<std::int64_t> ParseInt64(std::string_view text);

// Seconds from the forms Vault's clients send: "3600", "1h30m", "90s", "7d", "1.5h" (Go durations
// plus 'd'); units ns us ms s m h d; fractions of a second are cut. Negative values are parsed;
// callers that forbid them say so. kInvalid otherwise.
Result<std::int64_t> ParseDurationSeconds(std::string_view text);

// "true"/"false"/"1"/"0"/"t"/"f" in the spellings of Go's strconv.ParseBool; else kInvalid.
Result<bool> ParseBool(std::string_view text);

}  // namespace coffer
