#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::server {

inline constexpr int kUsageExit = 2;

// Parses a command's arguments, without the names of program and family; flags begin with two
// dashes. Nothing where the command may run; else the exit code, after the help or a sentence on
// standard error that says what is wrong.
std::optional<int> ParseCommandLine(CLI::App& app, const std::vector<std::string>& arguments);

// Says what is wrong and where the help is; returns kUsageExit.
int SayUsage(const CLI::App& app, std::string_view what);

}  // namespace coffer::server
