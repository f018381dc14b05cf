#pragma once

#include <string>
#include <string_view>

namespace coffer {

// Appends a JSON string. The text may be anything: control bytes are escaped, what is not UTF-8
// becomes U+FFFD, so that no content can break a line or the JSON around it.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace coffer
