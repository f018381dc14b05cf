#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace coffer {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
inline constexpr std::size_t kLogLevels = 4;

// A named value of a log line. Never a key, PIN, token or plaintext.
struct LogField {
  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, std::int64_t number)
      : name(field_name), value(std::to_string(number)) {}
  std::string_view name;
  std::string value;
};

// The numbers of lines that a log took since it was made. A value.
struct LogCounts {
  std::array<std::uint64_t, kLogLevels> lines{};  // by level, dropped ones too
  std::uint64_t dropped = 0;
};

// The log of the program. The program owns it, and it outlives all rooms that log to it. Any thread
// may call. No function fails: an implementation must not throw and must not block on a slow
// reader.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void Log(LogLevel level, std::string_view room, std::string_view message,
                   std::initializer_list<LogField> fields = {}) = 0;
  // True if a line of this level and room would be written. Callers ask before they make a line
  // that costs something.
  virtual bool Wants(LogLevel level, std::string_view room) const {
    static_cast<void>(level);
    static_cast<void>(room);
    return true;
  }
  // Waits until the lines logged so far are written, for at most `wait`. Called before the process
  // ends.
  virtual void Flush(std::chrono::milliseconds wait) { static_cast<void>(wait); }
  virtual LogCounts Counts() const { return {}; }
};

class NullLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view, std::string_view, std::initializer_list<LogField>) override {
  }
};

// While it lives, what its thread logs in any room names this request.
class LoggedRequest {
 public:
  explicit LoggedRequest(std::string_view id);  // outlives this
  ~LoggedRequest();
  LoggedRequest(const LoggedRequest&) = delete;
  LoggedRequest& operator=(const LoggedRequest&) = delete;
  // The id of the request that the calling thread serves; empty if it serves none.
  static std::string_view Current();

 private:
  const std::string_view before_;
};

}  // namespace coffer
