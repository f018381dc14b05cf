#include "cli/output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/yaml.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

TEST(OutputTest, ShowsSecondsAsGoDoesWithoutItsZeros) {
  EXPECT_EQ(DurationText(0), "0s");
  EXPECT_EQ(DurationText(59), "59s");
  EXPECT_EQ(DurationText(60), "1m");
  EXPECT_EQ(DurationText(3599), "59m59s");
  EXPECT_EQ(DurationText(3605), "1h5s");
  EXPECT_EQ(DurationText(5400), "1h30m");
  EXPECT_EQ(DurationText(768 * 3600), "768h");
  EXPECT_EQ(DurationText(-90), "-1m30s");
}

TEST(OutputTest, ShowsValuesAsGoDoes) {
  EXPECT_EQ(CellOf(json::parse(R"({"b":[1,"two",null],"a":{"x":true,"y":""}})")),
            "map[a:map[x:true y:] b:[1 two <nil>]]");
  EXPECT_EQ(CellOf("text"), "text");
  EXPECT_EQ(CellOf(nullptr), "<nil>");
}

TEST(OutputTest, OnlyNumbersWhoseNamesSayTimesAreTimes) {
  const auto table =
      Render(R"({"data":{"ttl":90,"max_ttl":"90","auto_rotate_period":0,"bits":90,"subtitle":1}})",
             Format::kTable);
  EXPECT_EQ(*table,
            "Key                   Value\n---                   -----\n"
            "auto_rotate_period    0s\nbits                  90\nmax_ttl               90\n"
            "subtitle              1\nttl                   1m30s\n");
}

TEST(OutputTest, AnEmptyCellIsNotAvailable) {
  EXPECT_EQ(Columns({"A", "B"}, {{"", "x"}, {"long", ""}}),
            "A       B\n-       -\nn/a     x\nlong    n/a\n");
}

TEST(OutputTest, AnAnswerWithoutEnvelopeIsItsData) {
  EXPECT_EQ(*RenderField(R"({"sealed":false})", Format::kTable, "sealed"), "false");
  const json shown = json::parse(*Render(R"({"sealed":false})", Format::kJson));
  EXPECT_EQ(shown["data"]["sealed"], false);
  EXPECT_EQ(shown["request_id"], "");
}

TEST(OutputTest, ARefusalNamesTheRequestAndEachSentence) {
  EXPECT_EQ(RefusalText("PUT", "http://h/v1/x", 400, R"({"errors":["one","two"]})"),
            "Error making API request.\n\nURL: PUT http://h/v1/x\nCode: 400. Errors:\n\n"
            "* one\n* two");
  EXPECT_EQ(RefusalText("GET", "u", 502, "<html>"),
            "Error making API request.\n\nURL: GET u\nCode: 502. Raw Message:\n\n<html>");
}

TEST(OutputTest, WarningsAreWrappedAsParagraphs) {
  EXPECT_EQ(WarningsText(R"({"warnings":null})"), "");
  const std::string text = WarningsText(R"({"warnings":[")" + std::string(40, 'a') + " " +
                                        std::string(40, 'b') + R"("]})");
  EXPECT_EQ(text, "WARNING! The following warnings were returned from Vault:\n\n  * " +
                      std::string(40, 'a') + "\n  " + std::string(40, 'b') + "\n\n");
}

TEST(YamlTest, StringsThatReadAsSomethingElseAreQuoted) {
  for (const char* const text : {"true", "No", "~", "", "1", "-1.5", "1e3", "0x1f", "1_000",
                                 "2026-11-30", "2026-11-30T16:47:14Z", "12:30", ".inf"}) {
    EXPECT_EQ(ToYaml(json(text)), "\"" + std::string(text) + "\"\n");
  }
  EXPECT_EQ(ToYaml(json("vault:v1:AAAA")), "vault:v1:AAAA\n");
  EXPECT_EQ(ToYaml(json("a: b")), "'a: b'\n");
}

TEST(YamlTest, WritesBlocksWithListsAtTheirNamesColumn) {
  EXPECT_EQ(ToYaml(json::parse(R"({"b":["x",{"y":1}],"a":{},"c":[],"d":null,"e":"1\n2\n"})")),
            "a: {}\nb:\n- x\n- \"y\": 1\nc: []\nd: null\ne: |\n  1\n  2\n");
}

}  // namespace
}  // namespace coffer::cli
