#include "coffer/hcl/object_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "coffer/hcl/parse.h"

namespace coffer::hcl {
namespace {

template <typename T>
std::string ErrorOf(const Result<T>& result) {
  return result ? "accepted" : result.error().message;
}

class ObjectReaderTest : public testing::Test {
 protected:
  ObjectReader Reader(std::string_view text) {
    auto parsed = Parse(text);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
    document_ = std::move(*parsed);
    return {document_, "the file"};
  }
  Value document_;
};

TEST_F(ObjectReaderTest, GivesMembersByNameAndType) {
  auto reader =
      Reader("a = \"x\"\nb = true\nc = 7\nd = \"1h30m\"\ne = 15\nf = [\"p\", \"q\"]\ng = \"r\"");
  EXPECT_EQ(reader.Text("a").value(), "x");
  EXPECT_EQ(reader.Boolean("b").value(), true);
  EXPECT_EQ(reader.Integer("c", 0, 7).value(), 7);
  EXPECT_EQ(reader.Seconds("d", 0, 10'000).value(), 5400);
  EXPECT_EQ(reader.Seconds("e", 0, 10'000).value(), 15);
  EXPECT_EQ(reader.Texts("f").value(), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(reader.Texts("g").value(), std::vector<std::string>{"r"});
  EXPECT_EQ(reader.Text("absent").value(), std::nullopt);
  EXPECT_TRUE(reader.Finish());
}

TEST_F(ObjectReaderTest, NamesTheFirstMemberThatNobodyAskedFor) {
  auto reader = Reader("a = \"x\"\n  b = 1\nc = 2\n");
  ASSERT_TRUE(reader.Text("a"));
  EXPECT_EQ(ErrorOf(reader.Finish()), "line 2, column 3: unknown key \"b\" in the file");
}

TEST_F(ObjectReaderTest, NamesTheKeyThatWasMeantForOneThatIsMissing) {
  auto reader = Reader("other = 1\nurl = \"x\"");
  ASSERT_TRUE(reader.Text("uri"));
  EXPECT_EQ(reader.Missing("uri", reader.At("uri")).value().message,
            "line 2, column 1: unknown key \"url\" in the file; did you mean \"uri\"?");
  EXPECT_EQ(reader.Missing("path", reader.At("path")).value().message,
            "line 1, column 1: the file has no \"path\"");
}

TEST_F(ObjectReaderTest, NamesTheKnownKeyThatAnUnknownOneResembles) {
  const auto error_of = [&](std::string_view name) {
    auto reader = Reader(std::string(name) + " = 1");
    EXPECT_TRUE(reader.Text("max_connections"));
    EXPECT_TRUE(reader.Text("idle_timeout"));
    EXPECT_TRUE(reader.Blocks("listener", 1));
    return ErrorOf(reader.Finish());
  };
  const auto meant = [](std::string_view name, std::string_view known) {
    return "line 1, column 1: unknown key \"" + std::string(name) +
           "\" in the file; did you mean \"" + std::string(known) + "\"?";
  };
  EXPECT_EQ(error_of("max_conections"), meant("max_conections", "max_connections"));
  EXPECT_EQ(error_of("max-connections"), meant("max-connections", "max_connections"));
  EXPECT_EQ(error_of("ilde_timeout"), meant("ilde_timeout", "idle_timeout"));
  EXPECT_EQ(error_of("lissener"), meant("lissener", "listener"));
  EXPECT_EQ(error_of("timeout"), "line 1, column 1: unknown key \"timeout\" in the file");
  EXPECT_EQ(error_of("x"), "line 1, column 1: unknown key \"x\" in the file");
}

TEST_F(ObjectReaderTest, SaysTheHintOfAKeyThatIsKnownFromElsewhere) {
  auto reader = Reader("ui = true");
  const std::array hints{Hint{"ui", "there is no web interface"}};
  EXPECT_EQ(ErrorOf(reader.Finish(hints)),
            "line 1, column 1: \"ui\" has no place in the file: there is no web interface");
}

TEST_F(ObjectReaderTest, RefusesAnotherTypeWithItsPlace) {
  auto reader = Reader("a = 1\nb = \"true\"\nc = \"7\"\nd = \"soon\"\nf = [1]\ng {}\nh = {}");
  EXPECT_EQ(ErrorOf(reader.Text("a")), "line 1, column 5: \"a\" must be a string, not an integer");
  EXPECT_EQ(ErrorOf(reader.Boolean("b")),
            "line 2, column 5: \"b\" must be true or false, not a string");
  EXPECT_EQ(ErrorOf(reader.Integer("c", 0, 9)),
            "line 3, column 5: \"c\" must be an integer, not a string");
  EXPECT_EQ(ErrorOf(reader.Seconds("d", 0, 9)),
            "line 4, column 5: \"d\" is not a duration such as \"30s\"");
  EXPECT_EQ(ErrorOf(reader.Texts("f")),
            "line 5, column 6: \"f\" must hold strings, not an integer");
  EXPECT_EQ(ErrorOf(reader.Text("g")), "line 6, column 1: \"g\" is an attribute: write it with =");
  EXPECT_EQ(ErrorOf(reader.Texts("h")),
            "line 7, column 5: \"h\" must be a list of strings, not an object");
}

TEST_F(ObjectReaderTest, RefusesNumbersOutOfRange) {
  auto reader = Reader("a = 8\nb = -1\nc = \"2m\"");
  EXPECT_EQ(ErrorOf(reader.Integer("a", 0, 7)), "line 1, column 5: \"a\" must be from 0 to 7");
  EXPECT_EQ(ErrorOf(reader.Integer("b", 0, 7)), "line 2, column 5: \"b\" must be from 0 to 7");
  EXPECT_EQ(ErrorOf(reader.Seconds("c", 1, 60)),
            "line 3, column 5: \"c\" must be from 1 to 60 seconds");
}

TEST_F(ObjectReaderTest, ReadsBlocksAlikeInHclAndJson) {
  for (const std::string_view text : {"listener \"tcp\" { a = 1 }\nlistener \"unix\" { a = 2 }",
                                      R"({"listener": {"tcp": {"a": 1}, "unix": {"a": 2}}})",
                                      R"({"listener": [{"tcp": {"a": 1}}, {"unix": {"a": 2}}]})",
                                      R"({"listener": {"tcp": [{"a": 1}], "unix": [{"a": 2}]}})"}) {
    auto reader = Reader(text);
    const auto blocks = reader.Blocks("listener", 1);
    ASSERT_TRUE(blocks) << text << blocks.error().message;
    ASSERT_EQ(blocks->size(), 2U) << text;
    EXPECT_EQ((*blocks)[0].labels[0].text, "tcp");
    EXPECT_EQ((*blocks)[1].labels[0].text, "unix");
    EXPECT_EQ((*blocks)[1].body->members[0].value.integer, 2);
    EXPECT_TRUE(reader.Finish());
  }
}

TEST_F(ObjectReaderTest, ReadsBlocksWithoutLabels) {
  for (const std::string_view text : {"token { a = 1 }", "token = { a = 1 }",
                                      R"({"token": {"a": 1}})", R"({"token": [{"a": 1}]})"}) {
    auto reader = Reader(text);
    const auto blocks = reader.Blocks("token", 0);
    ASSERT_TRUE(blocks) << text;
    ASSERT_EQ(blocks->size(), 1U) << text;
    EXPECT_EQ(blocks->front().body->members[0].value.integer, 1);
  }
}

TEST_F(ObjectReaderTest, RefusesBlocksWithTheWrongNumberOfLabels) {
  EXPECT_EQ(ErrorOf(Reader("a { }").Blocks("a", 1)),
            "line 1, column 1: \"a\" needs 1 label in quotes");
  EXPECT_EQ(ErrorOf(Reader("a \"x\" \"y\" { }").Blocks("a", 1)),
            "line 1, column 7: \"a\" takes 1 labels");
  EXPECT_EQ(ErrorOf(Reader("a = 1").Blocks("a", 0)),
            "line 1, column 5: \"a\" must be a block, not an integer");
  EXPECT_EQ(ErrorOf(Reader("{\"a\": {\"x\": 1}}").Blocks("a", 1)),
            "line 1, column 13: \"a\" must be a block, not an integer");
  EXPECT_EQ(ErrorOf(Reader("a = [[{}]]").Blocks("a", 0)), "line 1, column 6: expected an object");
}

}  // namespace
}  // namespace coffer::hcl
