#include "api/vault/request_reader.h"

#include <gtest/gtest.h>

namespace coffer::api {
namespace {

http::Request Get(std::vector<std::pair<std::string, std::string>> query) {
  http::Request request;
  request.query = std::move(query);
  return request;
}

TEST(RequestReader, ListsBothWays) {
  EXPECT_EQ(VerbOf(Get({{"list", "true"}})).value(), Verb::kList);
  EXPECT_EQ(VerbOf(Get({{"list", "false"}})).value(), Verb::kRead);
  http::Request list;
  list.method = http::Method::kList;
  EXPECT_EQ(VerbOf(list).value(), Verb::kList);
}

TEST(RequestReader, RefusesAListFlagThatIsNone) {
  EXPECT_EQ(VerbOf(Get({{"list", "perhaps"}})).error().code, Code::kInvalid);
  EXPECT_EQ(VerbOf(Get({{"list", "1"}, {"scan", "1"}})).error().code, Code::kInvalid);
}

TEST(RequestReader, PrefersTheVaultTokenHeader) {
  http::Request request;
  request.headers = {{"authorization", "Bearer second"}};
  EXPECT_EQ(TokenOf(request), "second");
  request.headers.emplace_back("x-vault-token", "first");
  EXPECT_EQ(TokenOf(request), "first");
  request.headers = {{"authorization", "Basic second"}};
  EXPECT_EQ(TokenOf(request), "");
}

TEST(RequestReader, RefusesWrappingAndNamespaces) {
  http::Request request;
  request.headers = {{"x-vault-wrap-ttl", "120"}};
  EXPECT_EQ(CheckHeaders(request).error().message,
            "response wrapping is not enabled on this server");
  request.headers = {{"x-vault-wrap-ttl", "-1"}};
  EXPECT_FALSE(CheckHeaders(request));
  request.headers = {{"x-vault-namespace", "team"}};
  EXPECT_EQ(CheckHeaders(request).error().message, "namespace not found");
  request.headers = {{"x-vault-namespace", "root"}, {"x-vault-wrap-ttl", "0"}};
  EXPECT_TRUE(CheckHeaders(request));
}

TEST(RequestReader, RefusesFieldsThatStandTwiceAndSayWhoAsks) {
  for (const char* name : {"x-vault-token", "authorization", "x-vault-namespace"}) {
    http::Request request;
    request.headers = {{name, "root"}, {"x-other", "a"}, {"x-other", "b"}};
    EXPECT_TRUE(CheckHeaders(request)) << name;
    request.headers.emplace_back(name, "root");
    EXPECT_EQ(CheckHeaders(request).error().code, Code::kInvalid) << name;
  }
}

TEST(RequestReader, SaysHowMuchMemoryTheParametersOfALargeBodyMayTake) {
  EXPECT_GT(ParametersSize(std::string(64 * 1024, ',')), 64U * 1024);
  std::string bomb = "{";
  while (bomb.size() < 5'000'000) bomb += R"("":0,)";
  EXPECT_GT(ParametersSize(bomb), 126'000'000U) << "what it took when it was tried";
  const std::string text = R"({"plaintext":")" + std::string(5'000'000, 'A') + R"("})";
  EXPECT_LT(ParametersSize(text), text.size() + 1000);
}

TEST(RequestReader, WantsMergePatchForPatch) {
  http::Request request;
  request.method = http::Method::kPatch;
  request.headers = {{"content-type", "application/json"}};
  EXPECT_EQ(CheckHeaders(request).error().refusal, Refusal::kUnsupportedMedia);
  request.headers = {{"content-type", "application/merge-patch+json; charset=utf-8"}};
  EXPECT_TRUE(CheckHeaders(request));
}

TEST(RequestReader, ReadsFormsUnlessTheyAreJson) {
  http::Request request;
  request.method = http::Method::kPost;
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  request.body = "a=1%2B1&b=x+y&a=2";
  const auto form = ReadParameters(request, Verb::kWrite);
  ASSERT_TRUE(form);
  EXPECT_EQ(*form->Find("b")->As<std::string>(), "x y");
  EXPECT_EQ(*form->Find("a")->As<JsonValue::Array>()->at(0).As<std::string>(), "1+1");
  request.body = " {\"a\":\"json\"}";
  EXPECT_EQ(*ReadParameters(request, Verb::kWrite)->Find("a")->As<std::string>(), "json");
  for (const char* bad : {"a=%", "a=%4", "a=%zz", "a=%ff"}) {
    request.body = bad;
    EXPECT_FALSE(ReadParameters(request, Verb::kWrite)) << bad;
  }
  const std::string longest = std::string(1024, 'n') + "=1";
  request.body = longest;
  EXPECT_TRUE(ReadParameters(request, Verb::kWrite));
  const std::string longer = "n" + longest;
  request.body = longer;
  EXPECT_FALSE(ReadParameters(request, Verb::kWrite));
}

}  // namespace
}  // namespace coffer::api
