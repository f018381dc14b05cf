#pragma once

#include <string>
#include <vector>

namespace coffer::cli {

// "-data=x" as "--data=x": both spellings are understood. Single letters, "-", and everything that
// is not a flag stay.
std::vector<std::string> NormalizeFlags(std::vector<std::string> arguments);

// The client's commands (status, read, write, list, delete, demo, version, help); `arguments`
// without the program's name. The exit code: 0, 1 for a local failure, 2 for wrong usage or an
// error the server answered.
int Run(const std::vector<std::string>& arguments);

}  // namespace coffer::cli
