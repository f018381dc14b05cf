#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/clock.h"
#include "coffer/base/logger.h"

namespace coffer::server {

enum class LogFormat { kStandard, kJson };

// The settings of the log: which lines are written, and their format.
struct LogSettings {
  LogFormat format = LogFormat::kStandard;
  LogLevel level = LogLevel::kInfo;
  std::vector<std::pair<std::string, LogLevel>> rooms;  // those with a level of their own
};

std::string_view LevelName(LogLevel level);  // "warn"
// Reads a level's name. It takes Vault's names, too: "trace" is debug, "notice" info, "warning",
// "err".
std::optional<LogLevel> ParseLevel(std::string_view text);

struct LogLine {
  SystemTime time{};
  LogLevel level = LogLevel::kInfo;
  std::string_view room;
  std::string_view message;
  std::string_view request_id;  // empty: none
  std::initializer_list<LogField> fields;
};

// One line with its newline, whatever stands in the values:
//   2026-11-24T12:00:00.5Z warn keyring: work dropped request_id="..." reason="..."
// or an object with "time", "level", "room", "message", "request_id" and the fields as strings.
std::string FormatLine(LogFormat format, const LogLine& line);

}  // namespace coffer::server
