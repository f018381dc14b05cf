#include "coffer/auth/policy.h"

#include <gtest/gtest.h>

#include <string>

namespace coffer::auth {
namespace {

std::string ErrorOf(std::string_view text) {
  const auto policy = ParsePolicy("p", text);
  return policy ? "" : policy.error().message;
}

TEST(ParsePolicy, ReadsEveryPartOfARule) {
  const auto policy = ParsePolicy("app", R"(
# what the application may do
path "/secret/+/x/*" {
  comment = "a note"
  capabilities = ["create", "read", "update", "patch", "delete", "list", "scan", "sudo"]
  allowed_parameters = { "Type" = ["a*", 5, true], "*" = [] }
  denied_parameters { "other" = "one" }
  required_parameters = ["Name"]
  min_wrapping_ttl = "1m"
  max_wrapping_ttl = 90
})");
  ASSERT_TRUE(policy) << policy.error().message;
  ASSERT_EQ(policy->rules.size(), 1U);
  const PolicyRule& rule = policy->rules.front();
  EXPECT_EQ(rule.path, "secret/+/x/*");
  EXPECT_TRUE(rule.segments);
  EXPECT_FALSE(rule.prefix);
  EXPECT_EQ(rule.capabilities.Names().size(), kCapabilityCount);
  EXPECT_EQ(rule.allowed_parameters.at("type").size(), 3U);
  EXPECT_TRUE(rule.allowed_parameters.at("*").empty());
  EXPECT_EQ(rule.denied_parameters.at("other").front().Text(), "one");
  EXPECT_EQ(rule.required_parameters, std::vector<std::string>{"name"});
  EXPECT_EQ(rule.min_wrapping_ttl, 60);
  EXPECT_EQ(rule.max_wrapping_ttl, 90);
}

TEST(ParsePolicy, ReadsJsonAsItReadsHcl) {
  const auto policy = ParsePolicy("app", R"({"path": {
    "a/*": {"capabilities": ["read"]},
    "b":   {"policy": "write"},
    "c":   {"capabilities": ["read", "deny", "list"]}}})");
  ASSERT_TRUE(policy) << policy.error().message;
  ASSERT_EQ(policy->rules.size(), 3U);
  EXPECT_TRUE(policy->rules[0].prefix);
  EXPECT_TRUE(policy->rules[1].capabilities.Has(Capability::kCreate));
  EXPECT_FALSE(policy->rules[1].capabilities.Has(Capability::kSudo));
  EXPECT_TRUE(policy->rules[2].capabilities.Denied());
  EXPECT_FALSE(policy->rules[2].capabilities.Has(Capability::kRead));
}

TEST(ParsePolicy, SaysWhereAFaultIs) {
  EXPECT_EQ(ErrorOf("path \"a\" {\n  capabilities = [\"read\", \"wirte\"]\n}"),
            "line 2, column 27: unknown capability \"wirte\"");
  EXPECT_TRUE(ErrorOf("path \"a\" {\n  capabilites = []\n}").starts_with("line 2, column 3: "));
  EXPECT_TRUE(ErrorOf("path \"a\" {").starts_with("line 1, column "));
  EXPECT_TRUE(ErrorOf("pth \"a\" {}").starts_with("line 1, column 1: "));
  EXPECT_TRUE(ErrorOf("path \"a/+*\" {}").starts_with("line 1, column 6: "));
  EXPECT_NE(ErrorOf("path \"a\" { capabilities = [5] }"), "");
  EXPECT_NE(ErrorOf("path \"a\" { policy = \"all\" }"), "");
  EXPECT_NE(ErrorOf("path \"a\" { min_wrapping_ttl = 5\n max_wrapping_ttl = 4 }"), "");
  EXPECT_NE(ErrorOf("path \"a\" { min_wrapping_ttl = -5 }"), "");
}

TEST(ParsePolicy, RefusesWhatWouldNarrowARuleAndIsNotHere) {
  for (const char* const member :
       {"mfa_methods = [\"x\"]", "control_group { ttl = 5 }", "pagination_limit = 5",
        "expiration = \"2030-01-01\"", "list_scan_response_keys_filter_path = \"x\""}) {
    const std::string error =
        ErrorOf("path \"a\" {\n  capabilities = [\"list\"]\n  " + std::string(member) + "\n}");
    EXPECT_TRUE(error.starts_with("line 3, column 3: ")) << error;
  }
}

TEST(ParsePolicy, KnowsTemplatesAndTheirFaults) {
  for (const char* const name :
       {"identity.entity.id", " identity.entity.name ", "identity.entity.metadata.team",
        "identity.entity.aliases.auth_x.name", "identity.entity.aliases.auth_x.metadata.k",
        "identity.groups.ids.123.name", "identity.groups.names.ops.id"}) {
    const auto policy =
        ParsePolicy("p", "path \"a/{{" + std::string(name) + "}}/*\" { capabilities = [] }");
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_TRUE(policy->rules.front().templated) << name;
  }
  for (const char* const path : {"a/{{identity.entity.id", "a/}}", "a/{{x}}", "a/{{}}",
                                 "{{identity.entity.metadata.}}", "}}{{identity.entity.id"}) {
    EXPECT_NE(ErrorOf("path \"" + std::string(path) + "\" {}"), "") << path;
  }
}

TEST(ParsePolicy, HasBounds) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) {
    many +=
        "path \"transit/encrypt/key-" + std::to_string(i) + "\" { capabilities = [\"update\"] }\n";
  }
  const auto policy = ParsePolicy("p", many);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->rules.size(), 10'000U);
  EXPECT_NE(ErrorOf(std::string(kMaxPolicyBytes + 1, '#')), "");
  EXPECT_EQ(ErrorOf(std::string(kMaxPolicyBytes, '#')), "");
  std::string deep = "{\"path\":";
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  EXPECT_NE(ErrorOf(deep), "");
}

TEST(PolicyName, IsInLowerCaseAndPlain) {
  EXPECT_EQ(*PolicyName(" Team/App "), "team/app");
  for (const char* const name : {"", " ", "a,b", "a\nb", "a\x7f"}) {
    EXPECT_FALSE(PolicyName(name)) << name;
  }
  EXPECT_FALSE(PolicyName(std::string(513, 'a')));
}

}  // namespace
}  // namespace coffer::auth
