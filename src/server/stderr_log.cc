#include "server/stderr_log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>

namespace coffer::server {
namespace {

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// A value from outside must not begin a line of its own.
void AppendQuoted(std::string_view value, std::string& line) {
  line += '"';
  for (const char c : value) {
    const bool plain = static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
    line += plain ? c : '?';
  }
  line += '"';
}

class StderrLog final : public Logger {
 public:
  StderrLog() : logger_("coffer", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  }
  void Log(LogLevel level, std::string_view room, std::string_view message,
           std::initializer_list<LogField> fields) override {
    std::string line(room);
    line.append(": ").append(message);
    for (const LogField& field : fields) {
      line.append(" ").append(field.name).append("=");
      AppendQuoted(field.value, line);
    }
    logger_.log(LevelOf(level), "{}", line);
  }

 private:
  spdlog::logger logger_;
};

}  // namespace

std::unique_ptr<Logger> MakeStderrLog() { return std::make_unique<StderrLog>(); }

}  // namespace coffer::server
