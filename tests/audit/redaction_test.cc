#include "audit/redaction.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "coffer/base/json_text.h"
#include "coffer/crypto/keyed_hash.h"

namespace coffer::audit {
namespace {

using nlohmann::json;

class RedactionTest : public ::testing::Test {
 protected:
  std::string Redact(std::string_view text, const RedactionRules& rules = {},
                     std::size_t limit = 1024UL * 1024) {
    std::string out;
    AppendRedacted(text, rules, hasher_, limit, out);
    return out;
  }
  std::string Elided(std::string_view text) {
    return "{\"elided\":{\"octets\":" + std::to_string(text.size()) + ",\"hash\":\"" + Hash(text) +
           "\"}}";
  }
  std::string Hash(std::string_view value) { return hasher_.Hash(value); }

  SecretBytes salt_{Bytes(32, 3)};
  ValueHasher hasher_{salt_};
};

TEST_F(RedactionTest, HashesAsVaultDoes) {
  EXPECT_EQ(Hash("value"), "hmac-sha256:" + ToHex(crypto::KeyedHash(salt_).Of(AsBytes("value"))));
}

TEST_F(RedactionTest, HashesEveryStringAndNothingElse) {
  const std::string out =
      Redact(" { \"a\" : \"x\",\n\"n\":[1,-2.5e3,true,null,\"y\",{}],\"o\":{\"a\":\"x\"} } ");
  EXPECT_EQ(out, "{\"a\":\"" + Hash("x") + "\",\"n\":[1,-2.5e3,true,null,\"" + Hash("y") +
                     "\",{}],\"o\":{\"a\":\"" + Hash("x") + "\"}}");
}

TEST_F(RedactionTest, HashesWhatAStringMeansNotHowItIsSpelt) {
  EXPECT_EQ(Redact(R"({"a":"\u0041\n\"\ud83d\ude00\/"})"),
            "{\"a\":\"" + Hash("A\n\"\xf0\x9f\x98\x80/") + "\"}");
}

TEST_F(RedactionTest, FollowsTheFieldsDeclarations) {
  const std::array<std::string_view, 1> plain{"type"};
  const std::array<std::string_view, 1> secret{"plaintext"};
  const RedactionRules rules{plain, secret};
  EXPECT_EQ(Redact(R"({"type":"aes","plaintext":12345,"key_version":3,"o":{"type":"t"}})", rules),
            "{\"type\":\"aes\",\"plaintext\":\"" + Hash("12345") +
                "\",\"key_version\":3,\"o\":{\"type\":\"" + Hash("t") + "\"}}");
  EXPECT_EQ(Redact(R"({"pl\u0061intext":[true,{"x":1}]})", rules),
            "{\"plaintext\":[\"" + Hash("true") + "\",{\"x\":\"" + Hash("1") + "\"}]}");
}

TEST_F(RedactionTest, ShowsOnlyShortNamesInAPlainField) {
  const std::array<std::string_view, 1> plain{"type"};
  const RedactionRules rules{plain, {}};
  const std::string secret = "Pasted Secret";
  EXPECT_EQ(Redact(R"({"type":"Pasted Secret"})", rules), "{\"type\":\"" + Hash(secret) + "\"}");
  EXPECT_EQ(Redact(R"({"type":["aes"]})", rules), "{\"type\":[\"" + Hash("aes") + "\"]}");
  EXPECT_EQ(Redact(R"({"type":{"x":"aes"}})", rules), "{\"type\":{\"x\":\"" + Hash("aes") + "\"}}");
}

TEST_F(RedactionTest, ShowsNothingOfWhatIsNoJson) {
  for (const char* text : {"{",
                           "{\"a\":\"secret",
                           "secret",
                           "{\"a\":\"x\"}secret\"",
                           "[1,]",
                           "[,1]",
                           "{\"a\":1,}",
                           "}",
                           "{\"a\" \"secret\":1}",
                           "{\"a\":\"b\" \"secret\"}",
                           "{a:1}",
                           "\x01",
                           "[\"a\"}",
                           "1 2",
                           "",
                           "[\"a\" \"b\"]",
                           "{\"secret\"}",
                           "[1 \"secret\"]",
                           "{\"a\":secret}",
                           "\"secret",
                           "[\"secret\\",
                           "1secret",
                           "-secret",
                           "{\"a\"::1}",
                           "{,}",
                           "nul"}) {
    EXPECT_EQ(Redact(text), Elided(text)) << text;
  }
}

TEST_F(RedactionTest, KeepsALineReadableHoweverManyValuesItWouldHold) {
  std::string text = "[\"a\"";
  for (int i = 0; i < 100'000; ++i) text += ",\"a\"";
  text += "]";
  const json out = json::parse(Redact(text));
  EXPECT_EQ(out["elided"]["octets"], text.size());
  EXPECT_EQ(out["elided"]["hash"], Hash(text));
  const std::string deep(100'000, '[');
  EXPECT_TRUE(json::parse(Redact(deep)).contains("elided"));
}

TEST_F(RedactionTest, EscapesNamesSoThatTheyCannotBreakTheLine) {
  const std::string out = Redact("{\"a\\n\\\"\\u0000b\":1,\"\xff\":2}");
  EXPECT_TRUE(json::accept(out)) << out;
  EXPECT_EQ(out, "{\"a\\n\\\"\\u0000b\":1,\"\xef\xbf\xbd\":2}");
}

TEST_F(RedactionTest, NamesAndNumbersAreBoundedLikeValues) {
  for (const std::string& text :
       {"{\"" + std::string(5000, 'n') + "\":1}", "{\"a\":" + std::string(5000, '1') + "}",
        "{\"" + std::string(900, '\x01') + "\":1}", "[" + std::string(600, '[') + "]"}) {
    EXPECT_EQ(Redact(text, {}, 1000), Elided(text)) << text;
  }
  EXPECT_EQ(Redact("{\"" + std::string(900, 'n') + "\":1}", {}, 1000),
            "{\"" + std::string(900, 'n') + "\":1}");
}

TEST(JsonText, WritesAnyOctetsAsOneLineOfJson) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const std::string& text :
       {all, std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xc0\xaf"),
        std::string("\xe2\x82"), std::string("caf\xc3\xa9 \xf0\x9f\x98\x80"), std::string()}) {
    std::string out;
    AppendJsonString(text, out);
    EXPECT_TRUE(json::accept(out)) << out;
    EXPECT_EQ(out.find('\n'), std::string::npos);
  }
  std::string fine;
  AppendJsonString("caf\xc3\xa9 \xf0\x9f\x98\x80\n", fine);
  EXPECT_EQ(fine, "\"caf\xc3\xa9 \xf0\x9f\x98\x80\\n\"");
}

}  // namespace
}  // namespace coffer::audit
