#pragma once

#include <memory>

#include "server/log/log_levels.h"
#include "server/log/log_line.h"

namespace coffer::server {

// Who waits for a line to be written: nobody, or, in a program that writes to the same terminal by
// other ways too, whoever logs it.
enum class LogWaiting { kNobody, kCaller };

// One line for each event on standard error; with a priority in front ("<4>") where that is the
// system's journal. Thread-safe.
std::unique_ptr<LeveledLog> MakeStderrLog(const LogSettings& settings, LogWaiting waiting);

}  // namespace coffer::server
