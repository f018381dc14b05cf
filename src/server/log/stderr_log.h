#pragma once

#include <memory>

#include "server/log/log_levels.h"
#include "server/log/log_line.h"

namespace coffer::server {

// Says if the thread that logs a line waits until it is written. A server does not wait; a program
// that also writes to the same terminal directly does, so that the order is kept.
enum class LogWaiting { kNobody, kCaller };

// One line for each event on standard error; with a priority in front ("<4>") where that is the
// system's journal. Thread-safe.
std::unique_ptr<LeveledLog> MakeStderrLog(const LogSettings& settings, LogWaiting waiting);

}  // namespace coffer::server
