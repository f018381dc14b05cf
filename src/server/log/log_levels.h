#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>

#include "coffer/base/logger.h"
#include "server/log/log_line.h"

namespace coffer::server {

// The rooms that log.
inline constexpr std::array<std::string_view, 6> kLoggingRooms{"api",     "audit",  "http",
                                                               "keyring", "server", "storage"};

// The lowest level that is logged, for each room. One thread may set the levels while others read
// them, without a lock: a reader may see some levels of the former setting and some of the new one.
class LogLevels {
 public:
  explicit LogLevels(const LogSettings& settings) { Set(settings); }
  void Set(const LogSettings& settings);
  bool Wants(LogLevel level, std::string_view room) const;

 private:
  std::array<std::atomic<LogLevel>, kLoggingRooms.size()> rooms_;
  std::atomic<LogLevel> others_;
};

// A log whose levels change while others log.
class LeveledLog : public Logger {
 public:
  // Sets the levels from the next line on; the format stays. One thread at a time.
  virtual void SetLevels(const LogSettings& settings) = 0;
};

}  // namespace coffer::server
