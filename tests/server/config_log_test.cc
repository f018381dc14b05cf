// log_level, log_format, log_levels and telemetry in the configuration file.

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <string_view>

#include "fakes/temporary_directory.h"
#include "server/config/config_file.h"

namespace coffer::server {
namespace {

constexpr std::string_view kSmallest = R"(
listener "tcp" { address = "127.0.0.1:0" }
storage "sqlite" { path = "/d" }
token { uri = "pkcs11:token=t?module-path=/m.so" }
)";

class ConfigLogTest : public testing::Test {
 protected:
  Result<Config> Read(std::string_view more) const {
    const auto file = folder_.Path() / "c.hcl";
    std::ofstream(file) << kSmallest << more;
    return ReadConfig(file);
  }
  std::string ErrorOf(std::string_view more) const {
    const auto config = Read(more);
    if (config) return "accepted";
    const std::string& message = config.error().message;
    return message.substr(message.find("line "));
  }

  fakes::TemporaryDirectory folder_;
};

TEST_F(ConfigLogTest, TheLogIsStandardAtInfoUnlessSaidOtherwise) {
  const auto config = Read("");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->log.level, LogLevel::kInfo);
  EXPECT_EQ(config->log.format, LogFormat::kStandard);
  EXPECT_TRUE(config->log.rooms.empty());
}

TEST_F(ConfigLogTest, ReadsAndPrintsWhatIsSaidOfTheLog) {
  const auto config = Read(R"(
log_level = "warn"
log_format = "json"
log_levels = { http = "trace", keyring = "err" })");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->log.level, LogLevel::kWarn);
  EXPECT_EQ(config->log.format, LogFormat::kJson);
  ASSERT_EQ(config->log.rooms.size(), 2U);
  const std::string printed = EffectiveSettings(*config);
  std::ofstream(folder_.Path() / "again.hcl") << printed;
  const auto again = ReadConfig(folder_.Path() / "again.hcl");
  ASSERT_TRUE(again) << again.error().message << printed;
  EXPECT_EQ(EffectiveSettings(*again), printed);
  EXPECT_EQ(again->log.rooms, config->log.rooms);
  EXPECT_EQ(again->log.level, config->log.level);
  EXPECT_EQ(again->log.format, config->log.format);
}

TEST_F(ConfigLogTest, RefusesLevelsFormatsAndRoomsThatThereAreNot) {
  EXPECT_EQ(ErrorOf("log_level = \"loud\""),
            "line 5, column 1: \"log_level\" is \"debug\", \"info\", \"warn\" or \"error\"");
  EXPECT_EQ(ErrorOf("log_format = \"xml\""),
            "line 5, column 1: \"log_format\" is \"standard\" or \"json\"");
  EXPECT_EQ(ErrorOf("log_levels = { cellar = \"debug\" }"),
            "line 5, column 16: unknown key \"cellar\" in log_levels");
  EXPECT_EQ(ErrorOf("log_levels = \"debug\""),
            "line 5, column 14: \"log_levels\" is an object such as { http = \"debug\" }");
}

TEST_F(ConfigLogTest, AListenerIsOpenForMetricsOnlyWhereItSaysSo) {
  const auto config = Read(R"(
listener "unix" {
  address = "/a"
  telemetry { unauthenticated_metrics_access = true }
}
listener "unix" {
  address = "/h"
  health_only = true
  telemetry { unauthenticated_metrics_access = true }
}
listener "unix" {
  address = "/c"
  telemetry { unauthenticated_metrics_access = false }
})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->open_metrics, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(config->health_open_metrics, (std::vector<bool>{true}));
  const std::string printed = EffectiveSettings(*config);
  std::ofstream(folder_.Path() / "again.hcl") << printed;
  const auto again = ReadConfig(folder_.Path() / "again.hcl");
  ASSERT_TRUE(again) << again.error().message << printed;
  EXPECT_EQ(again->open_metrics, config->open_metrics);
  EXPECT_EQ(again->health_open_metrics, config->health_open_metrics);
}

TEST_F(ConfigLogTest, KeysAreCountedOneByOneOnlyWhereTheFileSaysSo) {
  EXPECT_EQ(Read("")->key_series, 0U);
  EXPECT_EQ(Read("telemetry { key_series = 50 }")->key_series, 50U);
  EXPECT_NE(ErrorOf("telemetry { key_series = 10001 }"), "accepted");
  EXPECT_EQ(ErrorOf("telemetry { prometheus_retention_time = \"1h\" }"),
            "line 5, column 13: unknown key \"prometheus_retention_time\" in telemetry");
}

}  // namespace
}  // namespace coffer::server
