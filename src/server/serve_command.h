#pragma once

#include <string>
#include <vector>

#include "coffer/base/error.h"

namespace coffer::server {

// EX_CONFIG: a refused PIN or a configuration that is none. A supervisor must not try again.
inline constexpr int kConfigExit = 78;
// EX_TEMPFAIL: a call into the token hangs, and its thread cannot be taken out of it. A supervisor
// starts the server again.
inline constexpr int kTokenHangsExit = 75;

// Says the error on standard error; returns the process's exit code.
int Report(const Error& error);
// As Report, of a configuration that is none; returns kConfigExit.
int ReportConfig(const Error& error);

// `coffer server ...`, without those two words; flags begin with two dashes. Returns the exit code.
int ServeCommand(const std::vector<std::string>& arguments);

}  // namespace coffer::server
