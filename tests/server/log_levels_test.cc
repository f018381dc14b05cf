#include "server/log/log_levels.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

namespace coffer::server {
namespace {

LogSettings Settings(LogLevel level, decltype(LogSettings::rooms) rooms = {}) {
  return {LogFormat::kStandard, level, std::move(rooms)};
}

TEST(LogLevelsTest, ARoomHasItsOwnLevelOrTheCommonOne) {
  const LogLevels levels(
      Settings(LogLevel::kWarn, {{"http", LogLevel::kDebug}, {"audit", LogLevel::kError}}));
  EXPECT_TRUE(levels.Wants(LogLevel::kDebug, "http"));
  EXPECT_FALSE(levels.Wants(LogLevel::kWarn, "audit"));
  for (const std::string_view room : {"api", "keyring", "server", "storage", "cellar"}) {
    EXPECT_TRUE(levels.Wants(LogLevel::kWarn, room)) << room;
    EXPECT_FALSE(levels.Wants(LogLevel::kInfo, room)) << room;
  }
}

TEST(LogLevelsTest, WhatIsSetLeavesNothingOfWhatWasBefore) {
  LogLevels levels(Settings(LogLevel::kWarn, {{"http", LogLevel::kDebug}}));
  levels.Set(Settings(LogLevel::kError, {{"audit", LogLevel::kInfo}}));
  EXPECT_FALSE(levels.Wants(LogLevel::kWarn, "http"));
  EXPECT_TRUE(levels.Wants(LogLevel::kInfo, "audit"));
  EXPECT_FALSE(levels.Wants(LogLevel::kWarn, "cellar"));
}

// For the thread sanitizer: levels change while others log.
TEST(LogLevelsTest, ChangesWhileOthersAsk) {
  LogLevels levels(Settings(LogLevel::kInfo));
  std::atomic<bool> ended{false};
  std::thread asker([&] {
    while (!ended.load()) EXPECT_TRUE(levels.Wants(LogLevel::kError, "http"));
  });
  for (int i = 0; i < 1000; ++i) {
    levels.Set(Settings(i % 2 == 0 ? LogLevel::kDebug : LogLevel::kError));
  }
  ended.store(true);
  asker.join();
}

}  // namespace
}  // namespace coffer::server
