#include "coffer/auth/access_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pkcs11/allocation_count.h"

namespace coffer::auth {
namespace {

std::shared_ptr<const AccessRules> Compiled(const std::vector<std::string>& texts) {
  std::vector<Policy> policies;
  for (const std::string& text : texts) {
    policies.push_back(ParsePolicy("p" + std::to_string(policies.size() + 1), text).value());
  }
  std::vector<const Policy*> pointers;
  for (const Policy& policy : policies) pointers.push_back(&policy);
  return AccessRules::Compile(pointers);
}

std::string Rule(const std::string& path, const std::string& capabilities) {
  return "path \"" + path + "\" { capabilities = [" + capabilities + "] }\n";
}

// The path of the rule that decides about a path.
std::string Deciding(const AccessRules& rules, std::string_view path, bool lists = false) {
  const Permission* const rule = rules.Find(path, lists);
  return rule == nullptr ? "" : rule->path;
}

TEST(AccessRules, TheMoreExactRuleDecides) {
  const auto rules =
      Compiled({Rule("*", "") + Rule("a/*", "") + Rule("a/b/*", "") + Rule("a/b/c", "") +
                Rule("a/+/c", "") + Rule("a/+/d*", "") + Rule("+/b/c/d", "") + Rule("a/b*", "")});
  EXPECT_EQ(Deciding(*rules, "a/b/c"), "a/b/c");
  EXPECT_EQ(Deciding(*rules, "a/x/c"), "a/+/c");
  EXPECT_EQ(Deciding(*rules, "a/b/d"), "a/b/*");
  EXPECT_EQ(Deciding(*rules, "a/x/de"), "a/*") << "it has fewer +";
  EXPECT_EQ(Deciding(*rules, "a/x/e"), "a/*");
  EXPECT_EQ(Deciding(*rules, "x/b/c/d"), "+/b/c/d");
  EXPECT_EQ(Deciding(*rules, "a/bc"), "a/b*");
  EXPECT_EQ(Deciding(*rules, "x"), "*");
}

TEST(AccessRules, APlusIsExactlyOneSegment) {
  const auto rules = Compiled({Rule("a/+/c", "") + Rule("+", "")});
  EXPECT_EQ(Deciding(*rules, "a/b/c"), "a/+/c");
  EXPECT_EQ(Deciding(*rules, "a//c"), "a/+/c");
  EXPECT_EQ(Deciding(*rules, "a/b/b/c"), "");
  EXPECT_EQ(Deciding(*rules, "a/c"), "");
  EXPECT_EQ(Deciding(*rules, "b"), "+");
  EXPECT_EQ(Deciding(*rules, "A/b/c"), "");
}

TEST(AccessRules, OneDenialOfSeveralPoliciesDenies) {
  for (const bool denied_first : {true, false}) {
    const std::string grant = Rule("a", "\"read\", \"update\"");
    const std::string deny = Rule("a", "\"deny\"");
    const auto rules = denied_first ? Compiled({deny, grant}) : Compiled({grant, deny});
    const Decision decision = rules->Decide({.path = "a", .capability = Capability::kRead});
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(std::string_view(decision.reason), "the rule denies the path");
  }
}

TEST(AccessRules, ADecisionNamesItsRuleAndPolicy) {
  const auto rules = Compiled({Rule("a/*", "\"read\""), Rule("a/*", "\"read\", \"update\"")});
  const Decision read = rules->Decide({.path = "a/b", .capability = Capability::kRead});
  EXPECT_TRUE(read.allowed);
  EXPECT_EQ(read.policy, "p1");
  EXPECT_EQ(read.rule->path, "a/*");
  EXPECT_EQ(read.rule->policies, (std::vector<std::string>{"p1", "p2"}));
  EXPECT_EQ(rules->Decide({.path = "a/b", .capability = Capability::kUpdate}).policy, "p2");
  const Decision lacking = rules->Decide({.path = "a/b", .capability = Capability::kDelete});
  EXPECT_FALSE(lacking.allowed);
  EXPECT_EQ(lacking.rule->path, "a/*");
  EXPECT_EQ(rules->Decide({.path = "b", .capability = Capability::kRead}).rule, nullptr);
}

TEST(AccessRules, ProtectedOperationsNeedSudoBesides) {
  const auto rules = Compiled({Rule("a", "\"read\"") + Rule("b", "\"read\", \"sudo\"")});
  EXPECT_FALSE(rules->Decide({.path = "a", .capability = Capability::kRead, .sudo = true}).allowed);
  EXPECT_TRUE(rules->Decide({.path = "b", .capability = Capability::kRead, .sudo = true}).allowed);
}

TEST(AccessRules, ATemplatedRuleMatchesNothing) {
  const auto rules = Compiled({Rule("a/{{identity.entity.id}}", "\"read\"")});
  EXPECT_EQ(Deciding(*rules, "a/{{identity.entity.id}}"), "");
  EXPECT_EQ(Deciding(*rules, "a/"), "");
}

TEST(AccessRules, RootMayEverythingAndNothingElseMayByItself) {
  const Policy root{std::string(kRootPolicy), {}};
  const std::vector<const Policy*> policies{&root};
  EXPECT_TRUE(AccessRules::Compile(policies)
                  ->Decide({.path = "x", .capability = Capability::kDelete, .sudo = true})
                  .allowed);
  EXPECT_FALSE(Compiled({})->Decide({.path = "", .capability = Capability::kRead}).allowed);
}

TEST(AccessRules, AListIsDecidedByWhatIsSaidOfBothItsForms) {
  const auto rules =
      Compiled({Rule("a/*", "\"list\"") + Rule("a/b/*", "\"deny\"") + Rule("a/c*", "\"deny\"") +
                Rule("a/d", "\"list\"") + Rule("a/e/*", "\"read\"")});
  const auto lists = [&](std::string_view path) {
    return rules->Decide({.path = path, .capability = Capability::kList}).allowed;
  };
  EXPECT_FALSE(lists("a/b/"));
  EXPECT_FALSE(lists("a/c/"));
  EXPECT_TRUE(lists("a/d/"));
  EXPECT_FALSE(lists("a/e/"));
  EXPECT_TRUE(lists("a/f/"));
}

TEST(AccessRules, ADecisionTakesNoMemory) {
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i);
    many += Rule("a/" + number, "\"read\"") + Rule("b/" + number + "*", "\"read\"") +
            Rule("c/+/" + number, "\"read\"");
  }
  const auto rules = Compiled({many});
  int allowed = 0;
  const long before = pkcs11::AllocationCount();
  for (const std::string_view path : {"a/500", "b/500/and/more", "c/x/500", "d/nothing/of/it"}) {
    allowed += rules->Decide({.path = path, .capability = Capability::kRead}).allowed ? 1 : 0;
  }
  EXPECT_EQ(pkcs11::AllocationCount(), before);
  EXPECT_EQ(allowed, 3);
}

TEST(AccessRules, KnowsWhichMountsItCouldReach) {
  const auto rules = Compiled({Rule("transit/encrypt/k", "\"update\"") + Rule("+/x", "\"read\"") +
                               Rule("kv/*", "\"deny\"") + Rule("team/a*", "\"read\"")});
  EXPECT_TRUE(rules->MayReachBelow("transit/"));
  EXPECT_TRUE(rules->MayReachBelow("other/")) << "by +/x";
  EXPECT_TRUE(rules->MayReachBelow("team/ab/"));
  EXPECT_FALSE(rules->MayReachBelow("team/b/"));
  EXPECT_FALSE(Compiled({Rule("kv/*", "\"deny\"")})->MayReachBelow("kv/"));
  EXPECT_TRUE(Compiled({Rule("*", "\"read\"")})->MayReachBelow("kv/"));
}

}  // namespace
}  // namespace coffer::auth
