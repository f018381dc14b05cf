#pragma once

#include <string>
#include <vector>

namespace coffer::server {

// `coffer hsm ...`, without those two words; flags begin with two dashes. Returns the exit code.
int HsmCommand(const std::vector<std::string>& arguments);

}  // namespace coffer::server
