#include "server/log/log_line.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace coffer::server {
namespace {

const SystemTime kTime = FromUnixNanoseconds(1'764'000'000'500'000'000);

TEST(LogLineTest, TheStandardLineHasTimeLevelRoomMessageRequestAndFields) {
  EXPECT_EQ(FormatLine(LogFormat::kStandard, {kTime,
                                              LogLevel::kWarn,
                                              "keyring",
                                              "work dropped",
                                              "id-1",
                                              {{"reason", "full"}, {"count", 7}}}),
            Rfc3339(kTime) +
                " warn keyring: work dropped request_id=\"id-1\" reason=\"full\" count=\"7\"\n");
}

TEST(LogLineTest, TheJsonLineIsOneObjectWithTheSame) {
  const std::string line =
      FormatLine(LogFormat::kJson,
                 {kTime, LogLevel::kError, "api", "failed", "id-1", {{"path", "transit/\"k\""}}});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(line), nlohmann::json({{"time", Rfc3339(kTime)},
                                                         {"level", "error"},
                                                         {"room", "api"},
                                                         {"message", "failed"},
                                                         {"request_id", "id-1"},
                                                         {"path", "transit/\"k\""}}));
}

TEST(LogLineTest, WithoutARequestThereIsNoRequestId) {
  for (const LogFormat format : {LogFormat::kStandard, LogFormat::kJson}) {
    const std::string line =
        FormatLine(format, {kTime, LogLevel::kInfo, "server", "draining", {}, {}});
    EXPECT_EQ(line.find("request_id"), std::string::npos) << line;
  }
}

TEST(LogLineTest, NoValueCanBeginALineOrEndItsQuotes) {
  const std::string value = "a\"\n2026 error api: forged\r\x7f\x01\\";
  const std::string standard = FormatLine(
      LogFormat::kStandard, {kTime, LogLevel::kInfo, "api", "one\nother", value, {{"v", value}}});
  EXPECT_EQ(standard.find('\n'), standard.size() - 1);
  EXPECT_NE(standard.find(R"(v="a\"\x0a2026 error api: forged\x0d\x7f\x01\\")"), std::string::npos)
      << standard;
  const std::string json = FormatLine(
      LogFormat::kJson, {kTime, LogLevel::kInfo, "api", "one\nother", value, {{"v", value}}});
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(json)["v"], value);
}

TEST(LogLineTest, OctetsThatAreNoUtf8DoNotCostTheLine) {
  const std::string line = FormatLine(
      LogFormat::kJson, {kTime, LogLevel::kInfo, "api", "m", {}, {{"v", "a\xff\xfe z"}}});
  EXPECT_EQ(nlohmann::json::parse(line)["message"], "m");
}

TEST(LogLineTest, LevelsHaveVaultsWordsToo) {
  EXPECT_EQ(ParseLevel("trace"), LogLevel::kDebug);
  EXPECT_EQ(ParseLevel("err"), LogLevel::kError);
  EXPECT_EQ(ParseLevel("loud"), std::nullopt);
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    EXPECT_EQ(ParseLevel(LevelName(level)), level);
  }
}

}  // namespace
}  // namespace coffer::server
