#pragma once

#include <cstddef>

#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/http/options.h"
#include "server/config/config.h"

namespace coffer::server {

// Connections of the health listeners together.
inline constexpr std::size_t kHealthConnections = 256;

// The first thing of every command. Standard streams that are closed are opened in a way that each
// use of them fails: else the next file, the database perhaps, would have their numbers. A limit of
// file sizes is an error of the write that meets it, not the process's end.
void SettleProcess();

// Logs what the process was given that an operator may not have meant: variables that change what
// the libraries below do, and less memory than the settings' bounds come to.
void WarnOfSurroundings(const Config& config, Logger& logger);

// Returns the front door's options, with max_connections lowered to what the limit of open files
// leaves beside token, database and audit. Logs it if that is fewer. kInvalid if hardly any is
// left.
Result<http::Options> FitConnections(const Config& config, Logger& logger);

}  // namespace coffer::server
