#include "coffer/base/parse.h"

#include <gtest/gtest.h>

#include <limits>
#include <string_view>
#include <utility>

namespace coffer {
namespace {

TEST(ParseInt64, ReadsTheWholeRange) {
  EXPECT_EQ(ParseInt64("0"), 0);
  EXPECT_EQ(ParseInt64("-1"), -1);
  EXPECT_EQ(ParseInt64("007"), 7);
  EXPECT_EQ(ParseInt64("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(ParseInt64("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
}

TEST(ParseInt64, RefusesAnythingElse) {
  for (const std::string_view text : {"", "-", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "--1", "abc",
                                      "9223372036854775808", "-9223372036854775809"}) {
    const auto value = ParseInt64(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Code::kInvalid);
  }
  EXPECT_FALSE(ParseInt64(std::string_view("1\0", 2)));
}

TEST(ParseDurationSeconds, ReadsTheFormsThatClientsSend) {
  using Case = std::pair<std::string_view, std::int64_t>;
  for (const auto& [text, seconds] :
       {Case{"3600", 3600}, Case{"0", 0}, Case{"1h30m", 5400}, Case{"90s", 90}, Case{"7d", 604800},
        Case{"1.5h", 5400}, Case{".5m", 30}, Case{"1.m", 60}, Case{"1500ms", 1}, Case{"1m2m", 180},
        Case{"1d1h1m1s", 90061}, Case{"999999us", 0}, Case{"1000000000ns", 1}, Case{"-5", -5},
        Case{"-1h", -3600}, Case{"-1500ms", -1}, Case{"0.1h", 360},
        Case{"0.000000000000000000001h", 0}, Case{"9223372036s", 9223372036}}) {
    EXPECT_EQ(ParseDurationSeconds(text), seconds) << text;
  }
}

TEST(ParseDurationSeconds, RefusesAnythingElse) {
  for (const std::string_view text :
       {"", "-", "h", "1x", "1h2", "1 h", " 1h", "1h ", ".h", "--1h", "1h-30m", "1.5", "1..5h",
        "+5", "1H", "9223372037s", "106752d", "99999999999999999999999s", "9223372036s1s"}) {
    const auto value = ParseDurationSeconds(text);
    ASSERT_FALSE(value) << text << " gave " << *value;
    EXPECT_EQ(value.error().code, Code::kInvalid);
  }
}

TEST(ParseBool, ReadsTheSpellingsOfGo) {
  for (const std::string_view text : {"1", "t", "T", "true", "TRUE", "True"}) {
    EXPECT_EQ(ParseBool(text), true) << text;
  }
  for (const std::string_view text : {"0", "f", "F", "false", "FALSE", "False"}) {
    EXPECT_EQ(ParseBool(text), false) << text;
  }
}

TEST(ParseBool, RefusesAnythingElse) {
  for (const std::string_view text : {"", "yes", "no", "tRUE", "2", " true", "true ", "on"}) {
    const auto value = ParseBool(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Code::kInvalid);
  }
}

}  // namespace
}  // namespace coffer
