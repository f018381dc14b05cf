#include "api/field_decoder.h"

#include <gtest/gtest.h>

#include <string>

namespace coffer::api {
namespace {

const std::vector<FieldSpec> kSpecs = {
    {"name", FieldType::kText, "", ""},    {"text", FieldType::kText, "usual", ""},
    {"int", FieldType::kInt, "7", ""},     {"bool", FieldType::kBool, "true", ""},
    {"dur", FieldType::kSeconds, "0", ""}, {"list", FieldType::kList, "", ""},
    {"map", FieldType::kMap, "", ""},      {"kv", FieldType::kKeyValues, "", ""}};

Status Decode(Fields& fields, std::string_view json) {
  COFFER_ASSIGN(auto value, ParseJson(json));
  return fields.Decode(std::move(value));
}

TEST(Fields, TakesIntegersInEveryFormClientsSend) {
  const struct {
    const char* json;
    std::int64_t value;
  } kCases[] = {{"3", 3},
                {"\"3\"", 3},
                {"3.0", 3},
                {"3e0", 3},
                {"\"\"", 0},
                {"true", 1},
                {"-4", -4},
                {"null", 7},
                {"9223372036854775807", 9223372036854775807},
                {"9007199254740993", 9007199254740993}};
  for (const auto& item : kCases) {
    Fields fields(kSpecs);
    ASSERT_TRUE(Decode(fields, std::string("{\"int\":") + item.json + "}")) << item.json;
    EXPECT_EQ(fields.Int("int"), item.value) << item.json;
  }
}

TEST(Fields, RefusesWhatDoesNotConvertAndNamesTheField) {
  for (const char* json :
       {R"({"int":"x"})", R"({"int":3.5})", R"({"int":9223372036854775808})", R"({"int":[3]})",
        R"({"int":1e300})", R"({"bool":"maybe"})", R"({"bool":{}})", R"({"dur":"soon"})",
        R"({"dur":-1})", R"({"dur":"-1h"})", R"({"list":"a"})", R"({"list":{}})", R"({"map":[]})",
        R"({"text":[]})", R"({"kv":["x"]})", R"({"kv":3})"}) {
    Fields fields(kSpecs);
    const auto done = Decode(fields, json);
    ASSERT_FALSE(done) << json;
    const std::string field(std::string(json).substr(2, std::string(json).find('"', 2) - 2));
    EXPECT_EQ(done.error().refusal, Refusal::kFieldInvalid) << done.error().message;
    EXPECT_EQ(done.error().arguments.name, field);
    EXPECT_NE(done.error().arguments.detail, "");
    EXPECT_EQ(done.error().code, Code::kInvalid);
  }
}

TEST(Fields, TakesBooleansTextsAndDurationsWeakly) {
  Fields fields(kSpecs);
  ASSERT_TRUE(Decode(fields, R"({"bool":"0","text":12345678901234567890,"dur":"1h30m"})"));
  EXPECT_FALSE(fields.Bool("bool"));
  EXPECT_EQ(fields.Text("text"), "12345678901234567890");
  EXPECT_EQ(fields.Int("dur"), 5400);
}

TEST(Fields, KeepsTheTextOfAFraction) {
  Fields fields(kSpecs);
  ASSERT_TRUE(Decode(fields, R"({"text":0.10})"));
  EXPECT_EQ(fields.Text("text"), "0.10");
}

TEST(Fields, ReadsKeyValuesFromAllThreeForms) {
  for (const char* json : {R"({"kv":{"a":1}})", R"({"kv":["a=1"]})", R"({"kv":"a=1"})"}) {
    Fields fields(kSpecs);
    ASSERT_TRUE(Decode(fields, json)) << json;
    EXPECT_EQ(*fields.Find("kv")->Find("a")->As<std::string>(), "1") << json;
  }
}

TEST(Fields, FallsBackOnDefaults) {
  Fields fields(kSpecs);
  ASSERT_TRUE(Decode(fields, ""));
  EXPECT_EQ(fields.Text("text"), "usual");
  EXPECT_EQ(fields.Int("int"), 7);
  EXPECT_TRUE(fields.Bool("bool"));
}

TEST(Fields, LastOfTwoEqualNamesCounts) {
  Fields fields(kSpecs);
  ASSERT_TRUE(Decode(fields, R"({"int":1,"int":2})"));
  EXPECT_EQ(fields.Int("int"), 2);
}

TEST(Fields, TheLastValueOfANameCounts) {
  Fields fields(kSpecs);
  ASSERT_TRUE(Decode(fields, R"({"int":1,"text":"a","int":2,"text":"b","int":null})"));
  EXPECT_EQ(fields.Int("int"), 2);
  EXPECT_EQ(fields.Text("text"), "b");
}

TEST(Fields, WarnsOfUnknownAndReplacedParameters) {
  Fields fields(kSpecs);
  fields.Capture("name", "of-path");
  ASSERT_TRUE(Decode(fields, R"({"zeta":1,"alpha":2,"name":"of-body"})"));
  EXPECT_EQ(fields.Text("name"), "of-path");
  EXPECT_EQ(fields.Warnings(),
            (std::vector<std::string>{
                "Endpoint ignored these unrecognized parameters: [alpha zeta]",
                "Endpoint replaced the value of these parameters with the values captured from the "
                "endpoint's path: [name]"}));
}

TEST(Fields, AWarningTellsTheFirstNamesAndTheirBeginnings) {
  Fields fields(kSpecs);
  std::string input = R"({"mmm)" + std::string(9'000'000, 'm') + "\":0,\"\xc3\xa4" +
                      std::string(61, 'n') + "\xc3\xa4\":0";
  for (int i = 0; i < 100'000; ++i) input += ",\"x" + std::to_string(i) + "\":0";
  ASSERT_TRUE(Decode(fields, input + "}"));
  const auto warnings = fields.Warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings.front(), "Endpoint ignored these unrecognized parameters: [" +
                                  std::string(64, 'm') +
                                  "... x0 x1 x10 x11 x12 x13 x2 x3 x4 x5 x6 x7 x8 x9 \xc3\xa4" +
                                  std::string(61, 'n') + "... ...]");
}

TEST(ParseJson, RefusesWhatIsNoJson) {
  for (const char* text : {"{", "{}x", "{\"a\":}", "{'a':1}", "{\"a\":1,}", "\"\\ud800\"", "nul",
                           "{\"a\":\"\xff\"}", "{\"a\":01}", "[1"}) {
    EXPECT_FALSE(ParseJson(text)) << text;
  }
}

TEST(Fields, TellsANullFromNothing) {
  const std::vector<FieldSpec> specs{{"a", FieldType::kText, "", ""},
                                     {"b", FieldType::kText, "", ""}};
  Fields fields(specs);
  ASSERT_TRUE(fields.Decode(*ParseJson(R"({"a":null})")));
  EXPECT_TRUE(fields.Given("a"));
  EXPECT_FALSE(fields.Has("a"));
  EXPECT_FALSE(fields.Given("b"));
}

TEST(Fields, ReadsListsOfTextsBothWays) {
  for (const char* const text : {R"(["a","b c"])", R"("a, b c,,")"}) {
    const auto list = ConvertField(FieldType::kTexts, *ParseJson(text));
    ASSERT_TRUE(list) << text;
    const auto& texts = *list->As<JsonValue::Array>();
    ASSERT_EQ(texts.size(), 2U) << text;
    EXPECT_EQ(*texts[0].As<std::string>(), "a");
    EXPECT_EQ(*texts[1].As<std::string>(), "b c");
  }
  EXPECT_FALSE(ConvertField(FieldType::kTexts, *ParseJson(R"([[]])")));
  EXPECT_FALSE(ConvertField(FieldType::kTexts, *ParseJson(R"({})")));
}

TEST(Fields, TakesNullForNoParameters) {
  const std::vector<FieldSpec> specs{{"name", FieldType::kText, "default", ""}};
  Fields fields(specs);
  EXPECT_TRUE(fields.Decode(*ParseJson("null")));
  EXPECT_EQ(fields.Text("name"), "default");
  EXPECT_FALSE(fields.Decode(*ParseJson("[]")));
}

}  // namespace
}  // namespace coffer::api
