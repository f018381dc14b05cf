#pragma once

#include <string>
#include <vector>

namespace coffer::server {

// `coffer operator ...`, without those two words; flags begin with two dashes. Returns the exit
// code.
int OperatorCommand(const std::vector<std::string>& arguments);

}  // namespace coffer::server
