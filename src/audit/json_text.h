#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::audit {

void AppendNumber(std::uint64_t number, std::string& out);

// The text between a JSON string's quotes, with its escapes undone. A backslash that begins no
// escape is kept.
std::string UnescapeJson(std::string_view raw);

}  // namespace coffer::audit
