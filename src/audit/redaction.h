#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "audit/value_hasher.h"

namespace coffer::audit {

// Members at the top of the value that are treated differently from the rest.
struct RedactionRules {
  std::span<const std::string_view> plain;   // short names in them are shown
  std::span<const std::string_view> secret;  // hashed even where no string
};

// Appends a JSON value with every string in it replaced by its hash; names of members, numbers,
// booleans and null stay. Blanks go. A text that is no JSON, or whose redacted form would be longer
// than `limit`, becomes {"elided":{"octets":N,"hash":"hmac-sha256:..."}}: nothing of it is ever
// copied out unhashed, and no more is hashed value by value than fits into the limit.
void AppendRedacted(std::string_view text, const RedactionRules& rules, const ValueHasher& hasher,
                    std::size_t limit, std::string& out);

}  // namespace coffer::audit
