#include "server/reload.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace coffer::server {
namespace {

// Keeps what was logged, one line an entry.
class LineLog final : public LeveledLog {
 public:
  void Log(LogLevel level, std::string_view, std::string_view message,
           std::initializer_list<LogField> fields) override {
    std::string line = level == LogLevel::kInfo ? "info " : "other ";
    line += message;
    for (const LogField& field : fields) line += " " + std::string(field.value);
    lines.push_back(std::move(line));
  }
  void SetLevels(const LogSettings& settings) override {
    lines.push_back("levels " + std::string(LevelName(settings.level)));
  }
  std::vector<std::string> lines;
};

Config Running() {
  Config config;
  config.data_directory = "/d";
  config.http.workers = 2;
  config.http.listeners = {{.address = "127.0.0.1:1"}, {.address = "127.0.0.1:2"}};
  config.token.label = "t";
  config.token.module = "/m.so";
  return config;
}

TEST(ReloadTest, NamesEachSettingThatChangedAndNoOther) {
  Config next = Running();
  EXPECT_TRUE(CompareSettings(Running(), next).empty());
  next.http.listeners[1].address = "127.0.0.1:3";
  next.http.max_connections = 7;
  next.http.workers = 3;
  EXPECT_EQ(CompareSettings(Running(), next),
            (std::vector<ChangedSetting>{
                {"limits.max_connections", "10000", "7"},
                {"listener \"tcp\" 2.address", "\"127.0.0.1:2\"", "\"127.0.0.1:3\""},
                {"workers", "2", "3"}}));
}

TEST(ReloadTest, NamesWhatCameAndWhatWent) {
  Config next = Running();
  next.http.listeners.pop_back();
  next.audit_directory = "/a";
  const auto changed = CompareSettings(Running(), next);
  EXPECT_TRUE(std::ranges::count(changed, ChangedSetting{"audit_directory", "", "\"/a\""}));
  EXPECT_TRUE(std::ranges::count(
      changed, ChangedSetting{"listener \"tcp\" 2.address", "\"127.0.0.1:2\"", ""}));
}

TEST(ReloadTest, NamesASettingThatMovedToAnotherListener) {
  constexpr auto kName = "telemetry.unauthenticated_metrics_access";
  Config running = Running();
  running.open_metrics = {true, false};
  Config next = Running();
  next.open_metrics = {false, true};
  EXPECT_EQ(
      CompareSettings(running, next),
      (std::vector<ChangedSetting>{{std::string("listener \"tcp\".") + kName, "true", ""},
                                   {std::string("listener \"tcp\" 2.") + kName, "", "true"}}));
}

TEST(ReloadTest, NamesTheRoomWhoseLevelChanged) {
  Config running = Running();
  running.log.rooms = {{"http", LogLevel::kDebug}};
  Config next = Running();
  next.log.rooms = {{"http", LogLevel::kWarn}};
  EXPECT_EQ(CompareSettings(running, next),
            (std::vector<ChangedSetting>{{"log_levels.http", "\"debug\"", "\"warn\""}}));
}

TEST(ReloadTest, TakesWhatItCanAndSaysWhatNeedsARestart) {
  Config running = Running();
  LineLog log;
  Config next = Running();
  next.drain_deadline = std::chrono::seconds(33);
  next.http.max_connections = 7;
  ReloadSettings([&]() -> Result<Config> { return next; }, running, log);
  EXPECT_EQ(running.drain_deadline, std::chrono::seconds(33));
  EXPECT_EQ(running.http.max_connections, Running().http.max_connections);
  EXPECT_EQ(log.lines, (std::vector<std::string>{
                           "info a changed setting is in force drain_timeout \"10s\" \"33s\"",
                           "other a changed setting needs a restart limits.max_connections 10000 7",
                           "info configuration read again 2", "levels info"}));
  // A setting that is in force now counts as no change any more; one that needs a restart still
  // does.
  log.lines.clear();
  ReloadSettings([&]() -> Result<Config> { return next; }, running, log);
  EXPECT_EQ(log.lines.size(), 3U);
}

TEST(ReloadTest, LevelsAreInForceAtOnceAndAFormatIsNot) {
  Config running = Running();
  running.log.rooms = {{"http", LogLevel::kDebug}};
  Config next = Running();
  next.log.level = LogLevel::kError;
  next.log.format = LogFormat::kJson;
  next.log.rooms = {{"audit", LogLevel::kWarn}};
  LineLog log;
  ReloadSettings([&]() -> Result<Config> { return next; }, running, log);
  EXPECT_EQ(running.log.level, LogLevel::kError);
  EXPECT_EQ(running.log.rooms, next.log.rooms);
  EXPECT_EQ(running.log.format, LogFormat::kStandard);
  // The former levels let the report through: it is written before they go.
  EXPECT_EQ(log.lines,
            (std::vector<std::string>{
                "other a changed setting needs a restart log_format \"standard\" \"json\"",
                "info a changed setting is in force log_level \"info\" \"error\"",
                "info a changed setting is in force log_levels.http \"debug\" ",
                "info a changed setting is in force log_levels.audit  \"warn\"",
                "info configuration read again 4", "levels error"}));
}

TEST(ReloadTest, TheReportIsHeardWhereOnlyTheNewLevelsLetItThrough) {
  class QuietLog final : public LeveledLog {
   public:
    void Log(LogLevel level, std::string_view room, std::string_view,
             std::initializer_list<LogField>) override {
      written += Wants(level, room) ? 1 : 0;
    }
    bool Wants(LogLevel level, std::string_view room) const override {
      return levels_.Wants(level, room);
    }
    void SetLevels(const LogSettings& settings) override { levels_.Set(settings); }
    int written = 0;

   private:
    LogLevels levels_{{LogFormat::kStandard, LogLevel::kError, {}}};
  };
  Config running = Running();
  running.log.level = LogLevel::kError;
  QuietLog log;
  ReloadSettings([]() -> Result<Config> { return Running(); }, running, log);
  EXPECT_EQ(log.written, 2);
}

TEST(ReloadTest, AConfigurationThatIsNoneChangesNothing) {
  Config running = Running();
  LineLog log;
  ReloadSettings([]() -> Result<Config> { return Fail(Code::kInvalid, "line 1, column 2"); },
                 running, log);
  EXPECT_EQ(log.lines, std::vector<std::string>{
                           "other failed to read the configuration again line 1, column 2 the one "
                           "read before"});
  ReloadSettings({}, running, log);
  EXPECT_EQ(log.lines.size(), 1U);
}

}  // namespace
}  // namespace coffer::server
