// A caller that may not do something is told so before anything else happens.

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/service_fixture.h"

namespace coffer::api {
namespace {

// Parks no request, and counts how often it is asked.
class FullParking final : public http::Parking {
 public:
  Result<std::unique_ptr<http::Parked>> Park() override {
    ++asked;
    return Fail(Code::kUnavailable, "full");
  }
  int asked = 0;
};

class PolicyTest : public ServiceTest {
 protected:
  // A token that may do everything except below `fence`.
  std::string Fenced(const std::string& fence) {
    return TokenWith(
        "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"patch\", "
        "\"delete\", \"list\", \"scan\", \"sudo\"] }\n"
        "path \"" +
        fence + "*\" { capabilities = [\"deny\"] }");
  }
  // Sends a request that could be parked, and returns its status.
  int Change(http::Method method, const std::string& path, const std::string& body = "{}",
             std::string_view token = kToken) {
    http::Request request;
    request.method = method;
    request.path = "/v1/" + path;
    request.headers.emplace_back("x-vault-token", token);
    request.body = body;
    request.parking = &parking_;
    http::Response response;
    service_->Handle(request, response);
    return response.status;
  }
  int StatusOf(http::Method method, const std::string& path, std::string_view token,
               const std::string& body = "") {
    return Send(method, path, body, token).status;
  }
  FullParking parking_;
};

TEST_F(PolicyTest, ADeniedChangeIsRefusedBeforeItMayWait) {
  EXPECT_EQ(Post("transit/keys/k").status, 200);
  const std::string fenced = Fenced("transit/");
  for (const char* const path :
       {"transit/keys/new", "transit/keys/k/rotate", "transit/encrypt/new"}) {
    EXPECT_EQ(Change(http::Method::kPost, path, R"({"plaintext":""})", fenced), 403) << path;
  }
  EXPECT_EQ(Change(http::Method::kDelete, "transit/keys/k", "", fenced), 403);
  EXPECT_EQ(parking_.asked, 0);
  EXPECT_EQ(Change(http::Method::kPost, "transit/keys/new"), 503);
  EXPECT_EQ(Change(http::Method::kPost, "transit/encrypt/new", R"({"plaintext":""})"), 503);
  EXPECT_EQ(parking_.asked, 2);
}

TEST_F(PolicyTest, AChangeThatCannotBeReadDoesNotWaitEither) {
  EXPECT_EQ(Change(http::Method::kPost, "transit/keys/new", "{"), 400);
  EXPECT_EQ(Change(http::Method::kPost, "transit/keys/new", R"({"derived":[]})"), 400);
  EXPECT_EQ(parking_.asked, 0);
}

TEST_F(PolicyTest, WhoIsDeniedAPathDoesNotLearnWhatItMeans) {
  const std::string fenced = Fenced("transit/");
  EXPECT_EQ(StatusOf(http::Method::kGet, "transit/nothing", fenced), 403);
  EXPECT_EQ(StatusOf(http::Method::kGet, "transit/encrypt/k", fenced), 403)
      << "a verb that it does not have";
  const std::string elsewhere = Fenced("nowhere/");
  EXPECT_EQ(StatusOf(http::Method::kGet, "nowhere/x", elsewhere), 403);
  EXPECT_EQ(StatusOf(http::Method::kGet, "elsewhere/x", elsewhere), 404);
}

TEST_F(PolicyTest, AnEndpointHasOnePathHoweverTheRequestEnds) {
  EXPECT_EQ(Post("transit/keys/k").status, 200);
  const std::string token = TokenWith(R"(
path "sys/mounts/transit" { capabilities = ["read"] }
path "transit/keys/"      { capabilities = ["list"] })");
  for (const char* const path : {"sys/mounts/transit", "sys/mounts/transit/"}) {
    EXPECT_EQ(StatusOf(http::Method::kGet, path, token), 200) << path;
  }
  for (const char* const path : {"transit/keys", "transit/keys/"}) {
    EXPECT_EQ(StatusOf(http::Method::kList, path, token), 200) << path;
  }
  // A rule without the slash counts for the list as well.
  const std::string other = TokenWith(R"(path "transit/keys" { capabilities = ["list"] })");
  for (const char* const path : {"transit/keys", "transit/keys/"}) {
    EXPECT_EQ(StatusOf(http::Method::kList, path, other), 200) << path;
  }
}

TEST_F(PolicyTest, HelpIsForEveryTokenAndForNobodyElse) {
  const std::string fenced = Fenced("transit/");
  EXPECT_EQ(StatusOf(http::Method::kGet, "transit/encrypt/k?help=1", fenced), 200);
  EXPECT_EQ(StatusOf(http::Method::kGet, "transit/?help=1", fenced), 200);
  EXPECT_EQ(StatusOf(http::Method::kGet, "transit/nothing?help=1", fenced), 403);
  EXPECT_EQ(Send(http::Method::kGet, "transit/encrypt/k?help=1", "", "").status, 403);
  EXPECT_EQ(Send(http::Method::kGet, "transit/encrypt/k?help=1", "", "wrong").status, 403);
}

TEST_F(PolicyTest, AnApplicationMayEncryptAndNotDecrypt) {
  EXPECT_EQ(Post("transit/keys/k").status, 200);
  const std::string sealed = Seal("k", "x");
  const std::string app = TokenWith(R"(path "transit/encrypt/k" { capabilities = ["update"] })");
  EXPECT_EQ(StatusOf(http::Method::kPost, "transit/encrypt/k", app, R"({"plaintext":""})"), 200);
  EXPECT_EQ(
      StatusOf(http::Method::kPost, "transit/decrypt/k", app, json{{"ciphertext", sealed}}.dump()),
      403);
  EXPECT_EQ(StatusOf(http::Method::kPost, "transit/encrypt/K", app, R"({"plaintext":""})"), 403);
  EXPECT_EQ(StatusOf(http::Method::kPost, "transit/encrypt/k2", app, R"({"plaintext":""})"), 403);
}

TEST_F(PolicyTest, MakingAnAbsentKeyByUsingItNeedsCreate) {
  const std::string update = TokenWith(R"(path "transit/encrypt/+" { capabilities = ["update"] })");
  const std::string create = TokenWith(R"(path "transit/encrypt/+" { capabilities = ["create"] })");
  const std::string body = R"({"plaintext":""})";
  EXPECT_EQ(StatusOf(http::Method::kPost, "transit/encrypt/new", update, body), 403);
  EXPECT_EQ(StatusOf(http::Method::kPost, "transit/encrypt/new", create, body), 200);
  EXPECT_EQ(StatusOf(http::Method::kPost, "transit/encrypt/new", create, body), 403);
  EXPECT_EQ(StatusOf(http::Method::kPost, "transit/encrypt/new", update, body), 200);
}

TEST_F(PolicyTest, ParametersAreComparedAsTheEndpointReadsThem) {
  const std::string token = TokenWith(R"(
path "transit/keys/+" {
  capabilities = ["create", "update"]
  allowed_parameters = { "type" = ["aes*"], "exportable" = [false], "auto_rotate_period" = ["24h"] }
})");
  const auto make = [&](const std::string& name, const char* body) {
    return StatusOf(http::Method::kPost, "transit/keys/" + name, token, body);
  };
  EXPECT_EQ(make("a", R"({"type":"aes256-gcm96"})"), 200);
  EXPECT_EQ(make("b", R"({"type":"rsa-2048"})"), 403);
  EXPECT_EQ(make("c", R"({"exportable":false})"), 200);
  EXPECT_EQ(make("d", R"({"exportable":"false"})"), 200);
  EXPECT_EQ(make("e", R"({"exportable":"0"})"), 200);
  EXPECT_EQ(make("f", R"({"exportable":"true"})"), 403);
  EXPECT_EQ(make("g", R"({"exportable":1})"), 403);
  EXPECT_EQ(make("h", R"({"auto_rotate_period":86400})"), 200);
  EXPECT_EQ(make("i", R"({"auto_rotate_period":"1440m"})"), 200);
  EXPECT_EQ(make("j", R"({"auto_rotate_period":"25h"})"), 403);
  EXPECT_EQ(make("k", R"({"derived":true})"), 403) << "a parameter that is not listed";
  EXPECT_EQ(make("l", R"({"unknown":true})"), 403);
  EXPECT_EQ(make("m", R"({"type":"aes256-gcm96","type":"rsa-2048"})"), 403)
      << "the last one counts";
  EXPECT_EQ(make("n", R"({"type":"rsa-2048","type":"aes256-gcm96"})"), 403);
}

TEST_F(PolicyTest, DeniedAndRequiredParametersHold) {
  const std::string token = TokenWith(R"(
path "transit/keys/+" {
  capabilities        = ["create", "update"]
  required_parameters = ["Type"]
  denied_parameters   = { "derived" = [true], "exportable" = [] }
})");
  const auto make = [&](const std::string& name, const char* body) {
    return StatusOf(http::Method::kPost, "transit/keys/" + name, token, body);
  };
  EXPECT_EQ(make("a", R"({})"), 403);
  EXPECT_EQ(make("b", R"({"type":"aes256-gcm96"})"), 200);
  EXPECT_EQ(make("c", R"({"type":"aes256-gcm96","derived":"1"})"), 403);
  EXPECT_EQ(make("d", R"({"type":"aes256-gcm96","derived":false})"), 200);
  EXPECT_EQ(make("e", R"({"type":"aes256-gcm96","EXPORTABLE":false})"), 403);
}

TEST_F(PolicyTest, AListIsRefusedPastADeny) {
  EXPECT_EQ(Post("transit/keys/k").status, 200);
  for (const char* const deny : {"transit/keys", "transit/keys/", "transit/keys/*", "transit/key*",
                                 "transit/+", "transit/+/"}) {
    const std::string token = TokenWith(
        "path \"*\" { capabilities = [\"list\", \"read\"] }\n"
        "path \"" +
        std::string(deny) + "\" { capabilities = [\"deny\"] }");
    for (const char* const path : {"transit/keys", "transit/keys/"}) {
      EXPECT_EQ(StatusOf(http::Method::kList, path, token), 403) << deny;
    }
    EXPECT_EQ(StatusOf(http::Method::kGet, "transit/keys?list=true", token), 403) << deny;
  }
}

TEST_F(PolicyTest, AProtectedPathNeedsSudoHoweverItEnds) {
  const std::string plain =
      TokenWith(R"(path "*" { capabilities = ["create", "read", "update", "delete", "list"] })");
  const std::string sudo = TokenWith(
      R"(path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] })");
  struct Case {
    http::Method method;
    const char* path;
  };
  for (const Case& each : {Case{http::Method::kList, "auth/token/accessors"},
                           {http::Method::kList, "auth/token/accessors/"},
                           {http::Method::kGet, "sys/audit"},
                           {http::Method::kPost, "sys/remount"},
                           {http::Method::kPost, "auth/token/create-orphan"},
                           {http::Method::kPost, "auth/token/revoke-orphan"}}) {
    EXPECT_EQ(StatusOf(each.method, each.path, plain), 403) << each.path;
    EXPECT_NE(StatusOf(each.method, each.path, sudo), 403) << each.path;
  }
}

TEST_F(PolicyTest, NoSpellingOfAPolicysNameGetsPastItsRule) {
  const std::string body = R"({"policy":"path \"a\" { capabilities = [\"read\"] }"})";
  const std::string token = TokenWith(R"(
path "sys/policies/acl/*"     { capabilities = ["create", "read", "update", "delete"] }
path "sys/policies/acl/admin" { capabilities = ["deny"] }
path "sys/policies/acl/fixed" { capabilities = ["read", "create"] })");
  EXPECT_EQ(StatusOf(http::Method::kPost, "sys/policies/acl/admin", kToken, body), 204);
  EXPECT_EQ(StatusOf(http::Method::kPost, "sys/policies/acl/fixed", kToken, body), 204);
  for (const char* const name : {"admin", "ADMIN", "Admin/", " admin", "admin "}) {
    const std::string path = std::string("sys/policies/acl/") + name;
    EXPECT_EQ(StatusOf(http::Method::kGet, path, token), 403) << name;
    EXPECT_EQ(StatusOf(http::Method::kPost, path, token, body), 403) << name;
    EXPECT_EQ(StatusOf(http::Method::kDelete, path, token), 403) << name;
  }
  EXPECT_EQ(StatusOf(http::Method::kGet, "sys/policies/acl/Fixed", token), 200);
  EXPECT_EQ(StatusOf(http::Method::kPost, "sys/policies/acl/Fixed", token, body), 403);
  EXPECT_EQ(StatusOf(http::Method::kPost, "sys/policies/acl/Other", token, body), 200);
}

TEST_F(PolicyTest, AChangedPolicyHoldsForTheNextRequest) {
  EXPECT_EQ(Post("transit/keys/k").status, 200);
  const std::string token = TokenWith(R"(path "transit/keys/k" { capabilities = ["read"] })");
  EXPECT_EQ(StatusOf(http::Method::kGet, "transit/keys/k", token), 200);
  EXPECT_EQ(Post("sys/policies/acl/test-1", {{"policy", "path \"x\" {}"}}).status, 204);
  EXPECT_EQ(StatusOf(http::Method::kGet, "transit/keys/k", token), 403);
  EXPECT_EQ(Send(http::Method::kDelete, "sys/policies/acl/test-1").status, 204);
  EXPECT_EQ(StatusOf(http::Method::kGet, "transit/keys/k", token), 403);
}

TEST_F(PolicyTest, MountsAreShownToWhoMayReachIntoThem) {
  EXPECT_EQ(Post("sys/mounts/other", {{"type", "transit"}}).status, 204);
  const std::string token = TokenWith(R"(path "other/encrypt/k" { capabilities = ["update"] })");
  const auto seen = DataOf(Send(http::Method::kGet, "sys/internal/ui/mounts", "", token));
  EXPECT_TRUE(seen["secret"].contains("other/"));
  EXPECT_FALSE(seen["secret"].contains("transit/"));
  EXPECT_EQ(StatusOf(http::Method::kGet, "sys/internal/ui/mounts/other", token), 200);
  EXPECT_EQ(StatusOf(http::Method::kGet, "sys/internal/ui/mounts/transit", token), 403);
}

}  // namespace
}  // namespace coffer::api
