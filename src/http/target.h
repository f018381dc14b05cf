#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::http {

// Splits and decodes an origin-form request target (RFC 9112, 3.2.1) into Request's path and query.
// False for anything that could be read in two ways: a bad escape, a control octet or invalid UTF-8
// after decoding, "." or ".." as a segment, a fragment, no leading slash. `path` and `query` are
// reused: their capacity is kept.
bool DecodeTarget(std::string_view target, std::string& path,
                  std::vector<std::pair<std::string, std::string>>& query);

}  // namespace coffer::http
