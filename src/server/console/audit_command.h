#pragma once

#include <string>
#include <vector>

namespace coffer::server {

// `coffer audit verify|head|query ...` without the first two words: works on files alone, needs no
// server, no token and no configuration. Returns the exit code: 0, 1 for findings or an error, 2
// for usage.
int AuditCommand(const std::vector<std::string>& arguments);

}  // namespace coffer::server
