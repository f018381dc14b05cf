#include "api/json_value.h"

#include <gtest/gtest.h>

#include <string>

namespace coffer::api {
namespace {

std::string FaultOf(const std::string& text) {
  const auto value = ParseJson(text);
  if (value) return "";
  EXPECT_EQ(value.error().code, Code::kInvalid);
  return value.error().message;
}

TEST(JsonValue, SaysWhatIsWrongAndWhere) {
  const std::string kBegin = "failed to parse JSON input: ";
  EXPECT_EQ(FaultOf(R"({"a": "secret)"), kBegin + "unexpected end of input at byte 13");
  EXPECT_EQ(FaultOf("{"), kBegin + "unexpected end of input at byte 1");
  EXPECT_EQ(FaultOf("{} x"), kBegin + "unexpected text behind the value at byte 3");
  EXPECT_EQ(FaultOf(R"({"a":01})"), kBegin + "unexpected character at byte 6");
  EXPECT_EQ(FaultOf(R"({'a':1})"), kBegin + "unexpected character at byte 1");
  EXPECT_EQ(FaultOf(R"({"a":secret})"), kBegin + "unexpected character at byte 5");
  EXPECT_EQ(FaultOf("{\"a\":\"\xff\"}"), kBegin + "unexpected character at byte 6");
  EXPECT_TRUE(FaultOf(R"({"a":"\udc00"})")
                  .starts_with(kBegin + "escaped surrogate without its other half at byte "));
  EXPECT_TRUE(FaultOf(R"({"a":"\u00g0"})")
                  .starts_with(kBegin + "escape without four hexadecimal digits at byte "));
}

TEST(JsonValue, ReadsFiveHundredLevelsAndNoMore) {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_EQ(FaultOf(nested(500)), "");
  EXPECT_TRUE(
      FaultOf(nested(501))
          .starts_with("failed to parse JSON input: more than 500 levels of nesting at byte "));
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')));
}

TEST(JsonValue, ReadsTwoHundredThousandValuesAndNoMore) {
  std::string text = "[0";
  for (int i = 0; i < 199'998; ++i) text += ",0";
  EXPECT_EQ(FaultOf(text + "]"), "");
  EXPECT_TRUE(FaultOf(text + ",0]")
                  .starts_with("failed to parse JSON input: more than 200,000 values at byte "));
}

TEST(JsonValue, KeepsNumbersAsTheyWereSent) {
  const auto text_of = [](const std::string& number) {
    const auto value = ParseJson("[" + number + "]");
    if (!value) return value.error().message;
    const JsonValue& one = value->As<JsonValue::Array>()->front();
    if (const auto* exact = one.As<std::int64_t>()) return std::to_string(*exact);
    if (const auto* exact = one.As<std::uint64_t>()) return std::to_string(*exact);
    return one.As<JsonValue::Fraction>()->text;
  };
  for (const char* const number : {"0", "-1", "9223372036854775807", "-9223372036854775808",
                                   "18446744073709551615", "123456789012345678901234567890", "0.1",
                                   "1e400", "-1E+400", "3.141592653589793238462643383279"}) {
    EXPECT_EQ(text_of(number), number);
  }
}

}  // namespace
}  // namespace coffer::api
