#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::http {

// Splits and decodes a request target in origin or absolute form (RFC 9112, 3.2) into Request's
// path and query. False for anything that could be read in two ways: a bad escape, a control byte
// or invalid UTF-8 after decoding, "." or ".." as a segment, a fragment, another scheme than http
// and https, an authority that is no host. `path` and `query` are reused: their capacity is kept.
bool DecodeTarget(std::string_view target, std::string& path,
                  std::vector<std::pair<std::string, std::string>>& query);

}  // namespace coffer::http
