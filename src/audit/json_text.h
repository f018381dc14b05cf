#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"

namespace coffer::audit {

// Appends a JSON string. The text may be anything: control octets are escaped, what is not UTF-8
// becomes U+FFFD, so that no content can break a line or the JSON around it.
void AppendJsonString(std::string_view text, std::string& out);

void AppendNumber(std::uint64_t number, std::string& out);

// Lower case, without quotes.
void AppendHex(ByteView octets, std::string& out);

// The text behind a JSON string's quotes with its escapes undone; what is no escape is kept.
std::string UnescapeJson(std::string_view raw);

}  // namespace coffer::audit
