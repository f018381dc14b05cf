// The wire contract of tokens, policies and capabilities.

#include <gtest/gtest.h>

#include <string>

#include "api/service_fixture.h"

namespace coffer::api {
namespace {

class TokenWireTest : public ServiceTest {
 protected:
  static json AuthOf(const http::Response& response) { return json::parse(response.body)["auth"]; }
  json Create(const json& settings) {
    const auto made = Post("auth/token/create", settings);
    EXPECT_EQ(made.status, 200) << made.body;
    return AuthOf(made);
  }
  std::string TokenOf(const json& settings) { return Create(settings)["client_token"]; }
  http::Response PostAs(const std::string& token, const std::string& path, const json& body) {
    return Send(http::Method::kPost, path, body.dump(), token);
  }
};

TEST_F(TokenWireTest, ANewTokenIsToldWithAllItsParts) {
  const auto made = Post("auth/token/create", {{"policies", "app,Other"},
                                               {"ttl", "1h"},
                                               {"display_name", "me/x"},
                                               {"meta", {{"team", "a"}}},
                                               {"num_uses", 3}});
  const json auth = AuthOf(made);
  EXPECT_TRUE(auth["client_token"].get<std::string>().starts_with("hvs."));
  EXPECT_EQ(auth["policies"], json({"app", "default", "other"}));
  EXPECT_EQ(auth["lease_duration"], 3600);
  EXPECT_EQ(auth["num_uses"], 3);
  EXPECT_EQ(auth["renewable"], true);
  EXPECT_EQ(auth["orphan"], false);
  EXPECT_EQ(auth["token_type"], "service");
  EXPECT_EQ(json::parse(made.body)["warnings"].size(), 2U) << "two policies do not exist";
  const json data = DataOf(Post("auth/token/lookup", {{"token", auth["client_token"]}}));
  EXPECT_EQ(data["display_name"], "token-me-x");
  EXPECT_EQ(data["meta"], (json{{"team", "a"}}));
  EXPECT_EQ(data["creation_ttl"], 3600);
  EXPECT_EQ(data["path"], "auth/token/create");
  EXPECT_EQ(data["accessor"], auth["accessor"]);
  EXPECT_TRUE(data["expire_time"].is_string());
}

TEST_F(TokenWireTest, RenewalsFollowTheRequest) {
  const json auth = Create({{"ttl", "1h"}, {"policies", "default"}});
  const std::string token = auth["client_token"];
  EXPECT_EQ(AuthOf(PostAs(token, "auth/token/renew-self", {}))["lease_duration"], 3600);
  EXPECT_EQ(
      AuthOf(Post("auth/token/renew", {{"token", token}, {"increment", "30m"}}))["lease_duration"],
      1800);
  const json by_accessor =
      AuthOf(Post("auth/token/renew-accessor", {{"accessor", auth["accessor"]}}));
  EXPECT_EQ(by_accessor["client_token"], "");
  EXPECT_EQ(ErrorOf(Post("auth/token/renew", {{"token", "nobody"}})), "token not found");
  EXPECT_EQ(ErrorOf(Post("auth/token/renew-self")), "lease is not renewable");
  EXPECT_EQ(Post("auth/token/renew", {{"token", token}, {"increment", "-5s"}}).status, 400);
}

TEST_F(TokenWireTest, RevocationsAnswerWithoutABody) {
  const json first = Create({{"policies", "default"}});
  const json second = Create({{"policies", "default"}});
  const std::string third = TokenOf({{"policies", "default"}});
  EXPECT_EQ(Post("auth/token/revoke", {{"token", first["client_token"]}}).status, 204);
  EXPECT_EQ(Post("auth/token/revoke", {{"token", first["client_token"]}}).status, 204);
  EXPECT_EQ(Post("auth/token/revoke-accessor", {{"accessor", second["accessor"]}}).status, 204);
  EXPECT_EQ(Post("auth/token/revoke-accessor", {{"accessor", second["accessor"]}}).status, 400);
  EXPECT_EQ(PostAs(third, "auth/token/revoke-self", {}).status, 204);
  for (const std::string& token : {first["client_token"].get<std::string>(),
                                   second["client_token"].get<std::string>(), third}) {
    EXPECT_EQ(Send(http::Method::kGet, "auth/token/lookup-self", "", token).status, 403);
  }
  EXPECT_EQ(ErrorOf(Post("auth/token/revoke")), "missing token ID");
}

TEST_F(TokenWireTest, RolesBindWhatTheirTokensMay) {
  EXPECT_EQ(Send(http::Method::kList, "auth/token/roles").status, 404);
  EXPECT_EQ(Post("auth/token/roles/ci", {{"allowed_policies", "app"},
                                         {"orphan", true},
                                         {"token_period", "1h"},
                                         {"token_num_uses", 7}})
                .status,
            204);
  const json role = DataOf(Get("auth/token/roles/ci"));
  EXPECT_EQ(role["allowed_policies"], json({"app"}));
  EXPECT_EQ(role["token_period"], 3600);
  EXPECT_EQ(DataOf(Send(http::Method::kList, "auth/token/roles"))["keys"], json({"ci"}));
  const std::string maker =
      TokenWith(R"(path "auth/token/create/ci" { capabilities = ["update"] })");
  const json auth = AuthOf(PostAs(maker, "auth/token/create/ci", {}));
  EXPECT_EQ(auth["policies"], json({"app", "default"}));
  EXPECT_EQ(auth["orphan"], true);
  EXPECT_EQ(auth["lease_duration"], 3600);
  EXPECT_EQ(auth["num_uses"], 7);
  EXPECT_EQ(PostAs(maker, "auth/token/create/ci", {{"policies", "root"}}).status, 400);
  EXPECT_EQ(PostAs(maker, "auth/token/create", {}).status, 403);
  EXPECT_EQ(ErrorOf(Post("auth/token/create/nobody")), "unknown role nobody");
  EXPECT_EQ(Post("auth/token/roles/ci", {{"token_bound_cidrs", "nonsense"}}).status, 400);
  EXPECT_EQ(Send(http::Method::kDelete, "auth/token/roles/ci").status, 204);
  EXPECT_EQ(Get("auth/token/roles/ci").status, 404);
}

TEST_F(TokenWireTest, ARoleRefusesEveryPolicyItNamesHoweverTheyAreWritten) {
  const std::string maker =
      TokenWith(R"(path "auth/token/create/*" { capabilities = ["update"] })");
  EXPECT_EQ(Post("auth/token/roles/named", {{"disallowed_policies", {"root", " Admin"}}}).status,
            204);
  EXPECT_EQ(DataOf(Get("auth/token/roles/named"))["disallowed_policies"], json({"admin", "root"}));
  EXPECT_EQ(Post("auth/token/roles/globs", {{"disallowed_policies_glob", {" Adm*"}}}).status, 204);
  for (const char* const role : {"auth/token/create/named", "auth/token/create/globs"}) {
    EXPECT_EQ(PostAs(maker, role, {{"policies", "app"}}).status, 200) << role;
    EXPECT_EQ(PostAs(maker, role, {{"policies", "admin"}}).status, 400) << role;
    EXPECT_EQ(PostAs(maker, role, {{"policies", "ADMIN"}}).status, 400) << role;
  }
}

TEST_F(TokenWireTest, PoliciesAreWrittenReadAndDeleted) {
  const std::string text = "path \"a\" { capabilities = [\"read\"] }";
  EXPECT_EQ(Post("sys/policies/acl/App", {{"policy", text}}).status, 200) << "with a warning";
  EXPECT_EQ(Post("sys/policies/acl/app", {{"policy", Base64Encode(AsBytes(text))}}).status, 204);
  EXPECT_EQ(DataOf(Get("sys/policies/acl/app")), (json{{"name", "app"}, {"policy", text}}));
  EXPECT_EQ(DataOf(Get("sys/policy/app")), (json{{"name", "app"}, {"rules", text}}));
  EXPECT_EQ(DataOf(Send(http::Method::kList, "sys/policies/acl"))["keys"],
            json({"app", "default", "root"}));
  EXPECT_EQ(json::parse(Get("sys/policy").body)["policies"], json({"app", "default", "root"}));
  EXPECT_EQ(Post("sys/policies/acl/team/app", {{"policy", text}}).status, 204);
  EXPECT_EQ(Get("sys/policies/acl/nobody").status, 404);
  EXPECT_EQ(ErrorOf(Post("sys/policies/acl/bad",
                         {{"policy", "path \"a\" {\n  capabilities = [\"x\"] }"}})),
            "failed to parse policy: line 2, column 19: unknown capability \"x\"");
  EXPECT_EQ(ErrorOf(Post("sys/policies/acl/bad")), "'policy' parameter not supplied or empty");
  EXPECT_EQ(ErrorOf(Send(http::Method::kDelete, "sys/policies/acl/root")),
            "cannot delete \"root\" policy");
  EXPECT_EQ(ErrorOf(Send(http::Method::kDelete, "sys/policies/acl/default")),
            "cannot delete default policy");
  EXPECT_EQ(Post("sys/policies/acl/root", {{"policy", text}}).status, 400);
  EXPECT_EQ(Send(http::Method::kDelete, "sys/policies/acl/app").status, 204);
}

TEST_F(TokenWireTest, CapabilitiesAreToldOfAnyTokenThatMayBeAskedAbout) {
  const std::string token = TokenWith(R"(
path "a/*"                   { capabilities = ["read", "list", "sudo"] }
path "a/b"                   { capabilities = ["deny"] }
path "sys/capabilities-self" { capabilities = ["update"] })");
  const json self =
      json::parse(PostAs(token, "sys/capabilities-self", {{"paths", {"a/x", "a/b", "c"}}}).body);
  EXPECT_EQ(self["a/x"], json({"sudo", "read", "list"}));
  EXPECT_EQ(self["data"]["a/b"], json({"deny"}));
  EXPECT_EQ(self["c"], json({"deny"}));
  const json other = DataOf(Post("sys/capabilities", {{"token", token}, {"path", "/a/x"}}));
  EXPECT_EQ(other["capabilities"], json({"sudo", "read", "list"}));
  EXPECT_EQ(DataOf(Post("sys/capabilities-self", {{"path", "x"}}))["capabilities"], json({"root"}));
  const std::string accessor = tokens_->Lookup(token)->token->accessor;
  EXPECT_EQ(DataOf(Post("sys/capabilities-accessor",
                        {{"accessor", accessor}, {"path", "a/b"}}))["capabilities"],
            json({"deny"}));
  EXPECT_EQ(ErrorOf(Post("sys/capabilities-self")), "paths must be supplied");
  const std::string half(std::size_t{128} * 1024, 'x');
  EXPECT_EQ(Post("sys/capabilities-self", {{"paths", {half, half}}}).status, 200);
  EXPECT_EQ(ErrorOf(Post("sys/capabilities-self", {{"paths", {half, half, "x"}}})),
            "at most 256 KiB of paths at once");
  EXPECT_EQ(ErrorOf(Post("sys/explain", {{"path", half + half + "x"}})),
            "a path has at most 256 KiB");
  EXPECT_EQ(Post("sys/capabilities", {{"token", "nobody"}, {"path", "x"}}).status, 400);
}

TEST_F(TokenWireTest, AnExplanationNamesTheRuleAndWhatWouldAllow) {
  const std::string token = TokenWith(R"(path "transit/keys/*" { capabilities = ["read"] })");
  const json denied = DataOf(
      Post("sys/explain", {{"token", token}, {"path", "transit/keys/k"}, {"operation", "update"}}));
  EXPECT_EQ(denied["allowed"], false);
  EXPECT_EQ(denied["rule"], "transit/keys/*");
  EXPECT_EQ(denied["policies"], json({"test-1"}));
  EXPECT_EQ(denied["reason"], "the rule does not grant the capability");
  EXPECT_EQ(denied["would_allow"], "path \"transit/keys/k\" {\n  capabilities = [\"update\"]\n}");
  const json sudo =
      DataOf(Post("sys/explain", {{"token", token}, {"path", "sys/audit"}, {"operation", "read"}}));
  EXPECT_EQ(sudo["would_allow"], "path \"sys/audit\" {\n  capabilities = [\"read\", \"sudo\"]\n}");
  EXPECT_EQ(DataOf(Post("sys/explain", {{"path", "x"}}))["granted_by"], "root");
}

TEST_F(TokenWireTest, TheDefaultPolicyLetsATokenLookAtItselfAlone) {
  const std::string token = TokenOf({{"policies", "default"}});
  EXPECT_EQ(Send(http::Method::kGet, "auth/token/lookup-self", "", token).status, 200);
  EXPECT_EQ(PostAs(token, "sys/explain", {{"path", "x"}}).status, 200);
  EXPECT_EQ(PostAs(token, "sys/explain", {{"path", "x"}, {"token", kToken}}).status, 403);
  EXPECT_EQ(PostAs(token, "sys/explain", {{"path", "x"}, {"accessor", "a"}}).status, 403);
  EXPECT_EQ(PostAs(token, "auth/token/lookup", {{"token", kToken}}).status, 403);
  EXPECT_EQ(PostAs(token, "auth/token/create", {}).status, 403);
  EXPECT_EQ(DataOf(Send(http::Method::kGet, "sys/internal/ui/resultant-acl", "", token))["root"],
            false);
}

}  // namespace
}  // namespace coffer::api
