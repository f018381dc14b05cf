#include "coffer/hcl/parse.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace coffer::hcl {
namespace {

Value Good(std::string_view text) {
  auto parsed = Parse(text);
  EXPECT_TRUE(parsed) << text << "\n" << (parsed ? "" : parsed.error().message);
  return parsed ? std::move(*parsed) : Value{};
}

std::string ErrorOf(std::string_view text, const Bounds& bounds = {}) {
  const auto parsed = Parse(text, bounds);
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, Code::kInvalid);
  return parsed.error().message;
}

const Value& Only(const Value& object) {
  EXPECT_EQ(object.members.size(), 1U);
  return object.members.at(0).value;
}

TEST(HclParse, ReadsAttributesOfEveryKind) {
  const Value v = Good(
      "a = true\nb = -12\nc = 2.5e1\nd = \"x\"\ne = [1, \"y\", [],]\nf = {\n g = false, h = 0\n}");
  ASSERT_EQ(v.members.size(), 6U);
  EXPECT_TRUE(v.members[0].value.boolean);
  EXPECT_EQ(v.members[1].value.integer, -12);
  EXPECT_EQ(v.members[2].value.real, 25.0);
  EXPECT_EQ(v.members[3].value.text, "x");
  ASSERT_EQ(v.members[4].value.items.size(), 3U);
  EXPECT_EQ(v.members[4].value.items[1].text, "y");
  ASSERT_EQ(v.members[5].value.members.size(), 2U);
  EXPECT_FALSE(v.members[5].block);
  EXPECT_EQ(v.members[5].value.members[1].name, "h");
}

TEST(HclParse, ReadsBlocksWithLabels) {
  const Value v = Good("path \"secret/*\" \"two\" { x = 1 }\npath \"b\" {}\nplain {\n}\n");
  ASSERT_EQ(v.members.size(), 3U);
  EXPECT_TRUE(v.members[0].block);
  ASSERT_EQ(v.members[0].labels.size(), 2U);
  EXPECT_EQ(v.members[0].labels[0].text, "secret/*");
  EXPECT_EQ(v.members[0].labels[1].text, "two");
  EXPECT_EQ(v.members[0].value.members[0].value.integer, 1);
  EXPECT_TRUE(v.members[2].labels.empty());
}

TEST(HclParse, ReadsBlocksThatShareALine) {
  EXPECT_EQ(Good("path \"a\" { x = 1 } path \"b\" { x = 2 }").members.size(), 2U);
}

TEST(HclParse, SkipsCommentsOfEveryForm) {
  const Value v = Good(
      "# one\n// two\n/* three\n = */ a = 1 # four\nb = [ # five\n 1, // six\n 2 /* seven */ ]\n#");
  ASSERT_EQ(v.members.size(), 2U);
  EXPECT_EQ(v.members[1].value.items.size(), 2U);
}

TEST(HclParse, ReadsEscapes) {
  EXPECT_EQ(Only(Good(R"(a = "\"\\\n\r\t\u00e9\U0001F511\ud83d\udd11/")")).text,
            "\"\\\n\r\t\u00e9\U0001F511\U0001F511/");
  EXPECT_EQ(Only(Good("a = \"${not} an {{expression}}\"")).text, "${not} an {{expression}}");
}

TEST(HclParse, ReadsHeredocs) {
  EXPECT_EQ(Only(Good("a = <<X\n  one\n\n two \\n\nX\n")).text, "  one\n\n two \\n\n");
  EXPECT_EQ(Only(Good("a = <<-X\n    one\n\n      two\n    X\n")).text, "one\n\n  two\n");
  EXPECT_EQ(Only(Good("a = <<X\r\none\r\nX\r\n")).text, "one\n");
  EXPECT_EQ(Only(Good("a = <<X\nX")).text, "");
}

TEST(HclParse, AnEmptyTextIsAnEmptyObject) {
  for (const std::string_view text : {"", "\n\n", "# nothing\n", "{}", " { } "}) {
    EXPECT_TRUE(Good(text).members.empty()) << text;
  }
}

TEST(HclParse, TakesATextThatBeginsWithABraceForJson) {
  const Value v = Good("\n{\"a\": [1, true, \"\\/\\b\\f\"], \"b\": {\"c\": -0.5}}\n");
  ASSERT_EQ(v.members.size(), 2U);
  EXPECT_EQ(v.members[0].value.items[2].text, "/\b\f");
  EXPECT_EQ(v.members[1].value.members[0].value.real, -0.5);
}

TEST(HclParse, SaysWhereEveryValueStands) {
  const Value v = Good("\n  \"\u00e9\u00e9\" = \"x\"\n\tb \"l\" { c = [1,\n 2] }");
  EXPECT_EQ(v.members[0].at.line, 2U);
  EXPECT_EQ(v.members[0].at.column, 3U);
  EXPECT_EQ(v.members[0].value.at.column, 10U);  // characters, not bytes
  const Member& b = v.members[1];
  EXPECT_EQ(b.labels[0].at.column, 4U);
  const Value& list = b.value.members[0].value;
  EXPECT_EQ(list.items[1].at.line, 4U);
  EXPECT_EQ(list.items[1].at.column, 2U);
}

struct Refusal {
  std::string_view text;
  std::string_view error;
};

TEST(HclParse, RefusesWhatIsNoHclWithLineAndColumn) {
  for (const auto& [text, error] : {
           Refusal{"a", "line 1, column 2: expected = or { after \"a\""},
           Refusal{"a b {}",
                   "line 1, column 3: expected = or { after \"a\"; a label stands in quotes"},
           Refusal{"a \"b\" c {}",
                   "line 1, column 7: expected { after the labels of \"a\"; a label "
                   "stands in quotes"},
           Refusal{"a = ", "line 1, column 5: expected a value"},
           Refusal{"a = b", "line 1, column 5: expected a value; a string stands in quotes: \"b\""},
           Refusal{"a = null",
                   "line 1, column 5: expected a value; a string stands in quotes: \"null\""},
           Refusal{"a = 1 b = 2", "line 1, column 7: expected a new line or a comma"},
           Refusal{"a = 1\na = 2", "line 2, column 1: \"a\" was set before"},
           Refusal{"a = 1\na { }", "line 2, column 1: \"a\" was set before"},
           Refusal{"a { }\na = 1", "line 2, column 1: \"a\" was set before"},
           Refusal{"x {\n b = 1", "line 1, column 3: the block has no end"},
           Refusal{"}", "line 1, column 1: expected a name"},
           Refusal{"a \"l\" = 1", "line 1, column 7: expected { after the labels of \"a\""},
           Refusal{"a = [1 2]", "line 1, column 8: expected , or ]"},
           Refusal{"a = [", "line 1, column 6: expected a value"},
           Refusal{"a = \"x\ny\"", "line 1, column 5: the string has no end on its line"},
           Refusal{"a = \"x", "line 1, column 5: the string has no end on its line"},
           Refusal{"a = \"\\", "line 1, column 6: the string has no end"},
           Refusal{"a = \"\\q\"", "line 1, column 6: unknown escape \\q"},
           Refusal{"a = \"\\u12\"", "line 1, column 6: the escape needs 4 hexadecimal digits"},
           Refusal{"a = \"\\ud800\"", "line 1, column 6: the escape names no character"},
           Refusal{"a = \"\\u0000\"", "line 1, column 6: the escape names no character"},
           Refusal{"a = \"\\U00110000\"", "line 1, column 6: the escape names no character"},
           Refusal{"a = 01", "line 1, column 5: this is not a number"},
           Refusal{"a = -", "line 1, column 5: this is not a number"},
           Refusal{"a = 1.", "line 1, column 5: this is not a number"},
           Refusal{"a = 1e", "line 1, column 5: this is not a number"},
           Refusal{"a = 0x1f", "line 1, column 5: this is not a number"},
           Refusal{"a = 10s", "line 1, column 5: this is not a number"},
           Refusal{"a = 9223372036854775808", "line 1, column 5: the number is out of range"},
           Refusal{"a = 1e999", "line 1, column 5: the number is out of range"},
           Refusal{"/* x", "line 1, column 1: the comment has no end"},
           Refusal{"a = <<X\nb\n", "line 1, column 5: the heredoc has no line X to end it"},
           Refusal{"a = << X\nb\nX",
                   "line 1, column 5: a heredoc begins with <<NAME at the end of its line"},
           Refusal{"\"\" = 1", "line 1, column 1: a name may not be empty"},
           Refusal{"a = 1\n\x01", "line 2, column 1: control characters are not allowed"},
           Refusal{"a = \"\xc3\"", "line 1, column 6: the text is not UTF-8"},
           Refusal{"a = \"\xed\xa0\x80\"", "line 1, column 6: the text is not UTF-8"},
           Refusal{"a = \"\xc0\x80\"", "line 1, column 6: the text is not UTF-8"},
       }) {
    EXPECT_EQ(ErrorOf(text), error) << text;
  }
  EXPECT_EQ(ErrorOf(std::string_view("a\0", 2)),
            "line 1, column 2: control characters are not allowed");
}

TEST(HclParse, IsStrictAboutJson) {
  for (const auto& [text, error] : {
           Refusal{"{\"a\": 1,}", "line 1, column 9: expected a name"},
           Refusal{"{\"a\": [1,]}", "line 1, column 10: expected a value"},
           Refusal{"{\"a\" = 1}", "line 1, column 6: expected :"},
           Refusal{"{a: 1}", "line 1, column 2: expected a name"},
           Refusal{"{\"a\": 1} x", "line 1, column 10: nothing may follow the document's object"},
           Refusal{"{\"a\": 1 \"b\": 2}", "line 1, column 9: expected , or }"},
           Refusal{"{\"a\": 1, \"a\": 2}", "line 1, column 10: \"a\" was set before"},
           Refusal{"{ # c\n}", "line 1, column 3: expected a name"},
           Refusal{"{\"a\": \"\\U0001F511\"}", "line 1, column 8: unknown escape \\U"},
           Refusal{"{\"a\": <<X\nX\n}", "line 1, column 7: expected a value"},
           Refusal{"{", "line 1, column 2: expected a name"},
       }) {
    EXPECT_EQ(ErrorOf(text), error) << text;
  }
}

TEST(HclParse, RefusesWhatGoesBeyondItsBounds) {
  std::string deep = "a = ";
  deep.append(32, '[').append(32, ']');
  EXPECT_EQ(ErrorOf(deep), "line 1, column 36: nested more than 32 deep");
  std::string shallow = "a = ";
  shallow.append(31, '[').append(31, ']');
  EXPECT_EQ(ErrorOf(shallow), "accepted");
  EXPECT_EQ(ErrorOf(std::string(100'000, '['), {}), "line 1, column 1: expected a name");
  EXPECT_EQ(ErrorOf("a = [1,2,3]", {.values = 3}),
            "line 1, column 10: the document has more than 3 values");
  EXPECT_EQ(ErrorOf("a = 12345", {.octets = 8}),
            "line 1, column 1: the document is larger than 8 bytes");
}

TEST(HclQuote, ParsesBackToItsText) {
  const std::string text = "a\"b\\c\nd\te\x7f\u00e9${x}";
  EXPECT_EQ(Only(Good("a = " + Quote(text))).text, text);
}

}  // namespace
}  // namespace coffer::hcl
