#include "api/request_reader.h"

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

TEST(RequestReader, WantsMergePatchForPatch) {
  http::Request request;
  request.method = http::Method::kPatch;
  request.headers = {{"content-type", "application/json"}};
  EXPECT_EQ(CheckHeaders(request).error().code, Code::kUnsupportedMedia);
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
}

}  // namespace
}  // namespace coffer::api
