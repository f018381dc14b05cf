#pragma once

#include <string>
#include <vector>

namespace coffer::server {

// `coffer api-docs [-format=markdown|openapi]`: the API reference on standard output. Returns the
// exit code.
int ApiDocsCommand(const std::vector<std::string>& arguments);

}  // namespace coffer::server
