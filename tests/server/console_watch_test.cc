#include "server/console/console_watch.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <string_view>

namespace coffer::server {
namespace {

constexpr StallWatch::Limits kAtOnce{.wait = std::chrono::milliseconds(1),
                                     .hang = std::chrono::milliseconds(2)};

TEST(ConsoleWatchTest, GivesBackWhatTheStepGives) {
  NullLogger logger;
  ConsoleWatch watch(logger);
  EXPECT_EQ(watch.During([] { return std::string("done"); }), "done");
}

TEST(ConsoleWatchTest, EndsTheProcessWhereAStepHangs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        NullLogger logger;
        ConsoleWatch watch(logger, kAtOnce);
        watch.During([] { std::promise<void>().get_future().wait(); });
      },
      testing::ExitedWithCode(75), "");
}

TEST(ConsoleWatchTest, AStepThatReturnsAfterAllIsForgotten) {
  struct TwoEvents final : Logger {
    void Log(LogLevel level, std::string_view, std::string_view,
             std::initializer_list<LogField>) override {
      (level == LogLevel::kError ? stalled : returned).set_value();
    }
    std::promise<void> stalled;
    std::promise<void> returned;
  } log;
  ConsoleWatch watch(log, {.wait = std::chrono::milliseconds(1), .hang = std::chrono::hours(1)});
  watch.During([&] { log.stalled.get_future().wait(); });
  log.returned.get_future().wait();
}

}  // namespace
}  // namespace coffer::server
