#pragma once

#include <string>
#include <vector>

#include "coffer/base/error.h"

namespace coffer::server {

// EX_CONFIG: a refused PIN or an invalid configuration. A supervisor must not try again.
inline constexpr int kConfigExit = 78;
// EX_TEMPFAIL: a call into the token hangs, and its thread cannot be freed. A supervisor starts the
// server again.
inline constexpr int kTokenHangsExit = 75;

// Prints the error on standard error; returns the process's exit code.
int Report(const Error& error);
// Reports like Report() that the configuration is invalid; returns kConfigExit.
int ReportConfig(const Error& error);

// `coffer server ...`, without those two words; flags begin with two dashes. Returns the exit code.
int ServeCommand(const std::vector<std::string>& arguments);

}  // namespace coffer::server
