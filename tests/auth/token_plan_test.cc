#include "coffer/auth/token_plan.h"

#include <gtest/gtest.h>

#include <limits>

namespace coffer::auth {
namespace {

const SystemTime kNow = FromUnixNanoseconds(1'700'000'000'000'000'000);

TokenEntry Holder(std::vector<std::string> policies) {
  TokenEntry token;
  token.policies = std::move(policies);
  return token;
}

std::string RefusalOf(const TokenCreation& maker, const TokenRequest& request) {
  const auto plan = PlanToken(maker, request, kNow);
  return plan ? "" : plan.error().message;
}

using Names = std::vector<std::string>;

TEST(PlanToken, AChildHasItsMakersPoliciesOrSomeOfThem) {
  const TokenEntry maker = Holder({"app", "default", "ops"});
  EXPECT_EQ(PlanToken({maker}, {}, kNow)->entry.policies, (Names{"app", "default", "ops"}));
  EXPECT_EQ(PlanToken({maker}, {.policies = {" APP "}}, kNow)->entry.policies,
            (Names{"app", "default"}));
  EXPECT_EQ(RefusalOf({maker}, {.policies = {"app", "more"}}),
            "child policies must be subset of parent");
  EXPECT_EQ(PlanToken({Holder({"app"})}, {.policies = {"app"}}, kNow)->entry.policies, Names{"app"})
      << "default is not gained";
  EXPECT_EQ(
      PlanToken({maker}, {.policies = {"app"}, .no_default_policy = true}, kNow)->entry.policies,
      Names{"app"});
}

TEST(PlanToken, OnlySudoGivesWhatTheMakerHasNot) {
  const TokenEntry maker = Holder({"ops"});
  EXPECT_EQ(PlanToken({maker, true}, {.policies = {"more"}}, kNow)->entry.policies,
            (Names{"default", "more"}));
  EXPECT_NE(RefusalOf({maker}, {.no_parent = true}), "");
  EXPECT_NE(RefusalOf({maker}, {.period = 5}), "");
  EXPECT_NE(RefusalOf({maker}, {.id = "chosen"}), "");
  EXPECT_EQ(RefusalOf({maker, true}, {.id = "chosen", .period = 5, .no_parent = true}), "");
  for (const char* const id : {"hvs.x", "s.x", "a.b"}) {
    EXPECT_NE(RefusalOf({maker, true}, {.id = id}), "") << id;
  }
}

TEST(PlanToken, RootComesFromRootAlone) {
  EXPECT_EQ(RefusalOf({Holder({"ops"}), true}, {.policies = {"Root"}}),
            "root tokens may not be created without parent token being root");
  const auto root = PlanToken({Holder({"root"}), true}, {.policies = {"x", "root"}}, kNow);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->entry.policies, Names{"root"});
  EXPECT_FALSE(root->entry.expires);
  EXPECT_FALSE(root->entry.renewable);
  TokenEntry ending = Holder({"root"});
  ending.expires = kNow + std::chrono::seconds(60);
  EXPECT_EQ(RefusalOf({ending, true}, {}),
            "expiring root tokens cannot create non-expiring root tokens");
}

TEST(PlanToken, ALimitedTokenMakesNone) {
  TokenEntry maker = Holder({"app"});
  maker.uses = 3;
  EXPECT_EQ(RefusalOf({maker}, {}), "restricted use token cannot generate child tokens");
  EXPECT_EQ(RefusalOf({Holder({"app"})}, {.uses = -1}), "number of uses cannot be negative");
}

TEST(PlanToken, ATokenTakesABoundedAmountOfMemory) {
  const TokenEntry maker = Holder({"app"});
  EXPECT_EQ(RefusalOf({maker}, {.metadata = {{"k", std::string(1000, 'v')}}}), "");
  EXPECT_NE(RefusalOf({maker}, {.metadata = {{"k", std::string(65'536, 'v')}}}), "");
  EXPECT_NE(RefusalOf({maker, true}, {.policies = Names(10'000, "p")}), "");
}

TEST(PlanToken, LifetimesAreBounded) {
  const TokenEntry maker = Holder({"app"});
  const auto ttl = [&](const TokenRequest& request) {
    return PlanToken({maker, true}, request, kNow)->entry.creation_ttl;
  };
  EXPECT_EQ(ttl({}), kSystemTtl);
  EXPECT_EQ(ttl({.ttl = 60}), 60);
  EXPECT_EQ(ttl({.ttl = kSystemTtl + 1}), kSystemTtl);
  EXPECT_EQ(ttl({.ttl = std::numeric_limits<std::int64_t>::max()}), kSystemTtl);
  EXPECT_EQ(ttl({.ttl = 60, .explicit_max_ttl = 30}), 30);
  EXPECT_EQ(ttl({.ttl = 60, .period = kSystemTtl * 2}), kSystemTtl * 2);
  EXPECT_EQ(ttl({.explicit_max_ttl = 30, .period = 60}), 30);
  EXPECT_NE(RefusalOf({maker, true}, {.period = std::numeric_limits<std::int64_t>::max()}), "");
  EXPECT_EQ(PlanToken({maker}, {.ttl = kSystemTtl + 1}, kNow)->warnings.size(), 1U);
}

TEST(PlanToken, ARoleGivesItsPoliciesAndBounds) {
  TokenRole role;
  role.name = "r";
  role.allowed_policies = {"app"};
  role.allowed_policies_glob = {"team-*"};
  role.disallowed_policies_glob = {"*-admin"};
  role.orphan = true;
  role.uses = 5;
  role.period = 60;
  role.path_suffix = "x";
  const TokenEntry maker = Holder({"ci"});
  const auto plan = PlanToken({maker, false, &role}, {.uses = 9}, kNow);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->entry.policies, (Names{"app", "default"}));
  EXPECT_TRUE(plan->entry.orphan);
  EXPECT_FALSE(plan->entry.parent);
  EXPECT_EQ(plan->entry.uses, 5);
  EXPECT_EQ(plan->entry.period, 60);
  EXPECT_EQ(plan->entry.path, "auth/token/create/r/x");
  EXPECT_EQ(RefusalOf({maker, false, &role}, {.policies = {"team-a"}}), "");
  EXPECT_NE(RefusalOf({maker, false, &role}, {.policies = {"team-admin"}}), "");
  EXPECT_NE(RefusalOf({maker, false, &role}, {.policies = {"ci"}}), "");
}

TEST(PlanToken, AChildIsBoundToItsParentsAddresses) {
  TokenEntry maker = Holder({"app"});
  maker.bound_cidrs = {"10.0.0.0/8"};
  EXPECT_EQ(PlanToken({maker}, {}, kNow)->entry.bound_cidrs, maker.bound_cidrs);
}

TEST(PlanRenewal, LastsAsLongAsTheBoundsAllow) {
  TokenEntry token = Holder({"app"});
  token.created = kNow;
  token.renewable = true;
  token.creation_ttl = 100;
  token.expires = kNow + std::chrono::seconds(100);
  const auto after = [&](std::int64_t increment, std::int64_t waited) {
    const SystemTime now = kNow + std::chrono::seconds(waited);
    return std::chrono::duration_cast<std::chrono::seconds>(
               PlanRenewal(token, increment, now)->expires - kNow)
        .count();
  };
  EXPECT_EQ(after(0, 50), 150);
  EXPECT_EQ(after(10, 50), 60) << "it may be made shorter";
  EXPECT_EQ(after(kSystemTtl * 2, 50), kSystemTtl);
  token.explicit_max_ttl = 120;
  EXPECT_EQ(after(0, 50), 120);
  EXPECT_FALSE(PlanRenewal(token, 0, kNow + std::chrono::seconds(120)));
  token.explicit_max_ttl = 0;
  token.period = 70;
  EXPECT_EQ(after(5, kSystemTtl * 3), kSystemTtl * 3 + 70);
  token.renewable = false;
  EXPECT_EQ(PlanRenewal(token, 0, kNow).error().message, "lease is not renewable");
}

}  // namespace
}  // namespace coffer::auth
