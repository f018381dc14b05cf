#include "server/log/stderr_log.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

#include "coffer/base/clock.h"
#include "coffer/base/counters.h"
#include "server/log/log_writer.h"

namespace coffer::server {
namespace {

constexpr std::size_t kMaxQueuedOctets = 1024UL * 1024;
constexpr std::chrono::seconds kConsoleWait{60};

// systemd names the journal's stream; standard error may have been redirected since.
bool IsJournal(int descriptor) {
  const char* const named = ::getenv("JOURNAL_STREAM");
  struct stat facts {};
  return named != nullptr && ::fstat(descriptor, &facts) == 0 &&
         named == std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
}

// The priority of a level, with the numbers of syslog(3).
std::string_view PriorityOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "<7>";
    case LogLevel::kInfo:
      return "<6>";
    case LogLevel::kWarn:
      return "<4>";
    case LogLevel::kError:
      break;
  }
  return "<3>";
}

class StderrLog final : public LeveledLog {
 public:
  StderrLog(const LogSettings& settings, LogWaiting waiting)
      : format_(settings.format),
        levels_(settings),
        waiting_(waiting),
        journal_(IsJournal(STDERR_FILENO)),
        writer_(STDERR_FILENO, kMaxQueuedOctets,
                [format = settings.format, journal = journal_](std::uint64_t dropped) {
                  return std::string(journal ? PriorityOf(LogLevel::kWarn) : "") +
                         FormatLine(
                             format,
                             {.time = SystemClock().Now(),
                              .level = LogLevel::kWarn,
                              .room = "server",
                              .message = "log lines were dropped: their reader did not keep up",
                              .request_id = {},
                              .fields = {{"lines", static_cast<std::int64_t>(dropped)}}});
                }) {}

  void Log(LogLevel level, std::string_view room, std::string_view message,
           std::initializer_list<LogField> fields) override {
    if (!Wants(level, room)) return;
    lines_[static_cast<std::size_t>(level)].Add();
    std::string line(journal_ ? PriorityOf(level) : "");
    line += FormatLine(format_, {.time = clock_.Now(),
                                 .level = level,
                                 .room = room,
                                 .message = message,
                                 .request_id = LoggedRequest::Current(),
                                 .fields = fields});
    writer_.Put(line);
    if (waiting_ == LogWaiting::kCaller) Flush(kConsoleWait);
  }
  bool Wants(LogLevel level, std::string_view room) const override {
    return levels_.Wants(level, room);
  }
  void SetLevels(const LogSettings& settings) override { levels_.Set(settings); }
  void Flush(std::chrono::milliseconds wait) override { writer_.Flush(wait); }
  LogCounts Counts() const override {
    LogCounts counts;
    for (std::size_t i = 0; i < kLogLevels; ++i) counts.lines[i] = lines_[i].Value();
    counts.dropped = writer_.Dropped();
    return counts;
  }

 private:
  const LogFormat format_;
  LogLevels levels_;
  const LogWaiting waiting_;
  const bool journal_;
  const SystemClock clock_;
  std::array<Counter, kLogLevels> lines_;
  LogWriter writer_;
};

}  // namespace

std::unique_ptr<LeveledLog> MakeStderrLog(const LogSettings& settings, LogWaiting waiting) {
  return std::make_unique<StderrLog>(settings, waiting);
}

}  // namespace coffer::server
