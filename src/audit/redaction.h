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

// Larger redacted values are replaced by their size and one hash: a line stays readable in one
// piece, whatever a client sends.
inline constexpr std::size_t kMaxRedactedOctets = 1024UL * 1024;

// Appends a JSON value with every string in it replaced by its hash; names of members, numbers,
// booleans and null stay. Blanks go. What is no JSON, or grows beyond the limit, becomes
// {"elided":{"octets":N,"hash":"hmac-sha256:..."}}: nothing of it is ever copied out unhashed.
void AppendRedacted(std::string_view json, const RedactionRules& rules, const ValueHasher& hasher,
                    std::string& out);

// `text` with every string of `json` that stands in it replaced by its hash: error texts quote what
// was sent. Strings of fewer than four octets are left, they would match by chance.
std::string RedactQuotes(std::string text, std::string_view json, const RedactionRules& rules,
                         const ValueHasher& hasher);

}  // namespace coffer::audit
