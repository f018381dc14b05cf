// The compiled rules against a slow evaluator that was written apart from them.

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "auth/reference_evaluator.h"
#include "coffer/auth/access_rules.h"
#include "coffer/base/parse.h"
#include "coffer/hcl/value.h"

namespace coffer::auth {
namespace {

constexpr std::int64_t kUsualCount = 100'000;
constexpr int kQuestionsPerSet = 400;

std::int64_t QuestionCount() {
  const char* const given = std::getenv("COFFER_POLICY_QUESTIONS");
  return given == nullptr ? kUsualCount : ParseInt64(given).value_or(kUsualCount);
}

// Random rules and questions over so few words that they often meet.
class Source {
 public:
  explicit Source(unsigned seed) : random_(seed) {}

  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }
  bool Often(int percent) { return Below(100) < percent; }
  template <typename Item>
  const Item& One(const std::vector<Item>& items) {
    return items[static_cast<std::size_t>(Below(static_cast<int>(items.size())))];
  }

  std::string Path(bool rule) {
    static const std::vector<std::string> kWords{"a", "b", "ab", "a+b", "", "c"};
    std::string path;
    const int segments = 1 + Below(4);
    for (int i = 0; i < segments; ++i) {
      if (i > 0) path += '/';
      path += rule && Often(30) ? "+" : One(kWords);
    }
    if (rule && Often(35) && !path.ends_with('+')) path += '*';
    if (rule && path.find("+*") != std::string::npos) path.pop_back();
    while (path.starts_with('/')) path.erase(0, 1);
    return path;
  }
  model::Value Value(bool listed) {
    static const std::vector<std::string> kTexts{"x", "xy", "yx", "12", "", "X"};
    static const std::vector<std::string> kGlobs{"x*", "*x", "*y*", "*", "**"};
    if (Often(30)) return {true, Often(50) ? "12" : "7"};
    return {false, listed && Often(40) ? One(kGlobs) : One(kTexts)};
  }
  std::string Name() {
    static const std::vector<std::string> kNames{"p", "q", "Pq", "r"};
    return One(kNames);
  }
  model::Listed Listed() {
    model::Listed listed;
    while (Often(50)) {
      auto& values = listed[model::Lower(Often(15) ? "*" : Name())];
      while (Often(55)) values.push_back(Value(true));
    }
    return listed;
  }
  std::string CapabilityWord() {
    static const std::vector<std::string> kAll{"create", "read", "update", "patch",
                                               "delete", "list", "scan"};
    return One(kAll);
  }
  model::Rule Rule() {
    model::Rule rule;
    rule.path = Path(true);
    for (int i = Below(5); i > 0; --i) rule.capabilities.insert(CapabilityWord());
    if (Often(20)) rule.capabilities.insert("sudo");
    if (Often(8)) rule.capabilities.insert("deny");
    if (Often(25)) rule.allowed = Listed();
    if (Often(25)) rule.denied = Listed();
    if (Often(10)) rule.required.push_back(Name());
    if (Often(8)) rule.min_wrapping = 1 + Below(3);
    if (Often(8)) rule.max_wrapping = rule.min_wrapping + 1 + Below(2);
    return rule;
  }
  model::Asked Question(const model::Rules& rules) {
    model::Asked asked;
    asked.path = Often(50) ? One(rules).path : Path(false);
    for (char& c : asked.path) {
      if ((c == '+' || c == '*') && Often(90)) c = Often(50) ? 'a' : 'b';
    }
    asked.capability = CapabilityWord();
    const bool list = asked.capability == "list" || asked.capability == "scan";
    while (asked.path.ends_with('/')) asked.path.pop_back();
    if (list) asked.path += '/';
    asked.sudo = Often(15);
    while (Often(40)) asked.parameters.emplace_back(Name(), Value(false));
    if (Often(40)) asked.wrapping = Below(5);
    return asked;
  }

 private:
  std::mt19937 random_;
};

std::string TextOfListed(const std::string& name, const model::Listed& listed) {
  if (listed.empty()) return {};
  std::string text = "  " + name + " = {\n";
  for (const auto& [parameter, values] : listed) {
    text += "    " + hcl::Quote(parameter) + " = [";
    for (const model::Value& value : values) {
      text += (value.number ? value.text : hcl::Quote(value.text)) + ", ";
    }
    text += "]\n";
  }
  return text + "  }\n";
}

std::string TextOfRule(const model::Rule& rule) {
  std::string text = "path " + hcl::Quote(rule.path) + " {\n  capabilities = [";
  for (const std::string& capability : rule.capabilities) text += hcl::Quote(capability) + ", ";
  text += "]\n" + TextOfListed("allowed_parameters", rule.allowed) +
          TextOfListed("denied_parameters", rule.denied);
  if (!rule.required.empty()) {
    text += "  required_parameters = [" + hcl::Quote(rule.required.front()) + "]\n";
  }
  if (rule.min_wrapping > 0) {
    text += "  min_wrapping_ttl = " + std::to_string(rule.min_wrapping) + "\n";
  }
  if (rule.max_wrapping > 0) {
    text += "  max_wrapping_ttl = \"" + std::to_string(rule.max_wrapping) + "s\"\n";
  }
  return text + "}\n";
}

bool Decided(const AccessRules& rules, const model::Asked& asked) {
  Question question{.path = asked.path,
                    .capability = ParseCapability(asked.capability).value(),
                    .sudo = asked.sudo,
                    .wrapping_ttl = asked.wrapping};
  std::vector<Parameter> parameters;
  for (const auto& [name, value] : asked.parameters) {
    RequestValue given = std::string_view(value.text);
    if (value.number) given = ParseInt64(value.text).value();
    parameters.push_back({name, {given}});
  }
  const bool lists =
      question.capability == Capability::kList || question.capability == Capability::kScan;
  if (const Permission* const rule = rules.Find(asked.path, lists)) {
    question.parameters_refused = AccessRules::CheckParameters(*rule, parameters);
  }
  return rules.Decide(question).allowed;
}

TEST(AccessRules, DecideAsAnIndependentEvaluatorDoes) {
  std::int64_t allowed = 0;
  std::int64_t asked_in_all = 0;
  const std::int64_t count = QuestionCount();
  for (unsigned seed = 1; asked_in_all < count; ++seed) {
    Source source(seed);
    std::vector<Policy> policies;
    model::Rules rules;
    std::string texts;
    for (int i = 1 + source.Below(3); i > 0; --i) {
      std::string text;
      for (int j = 1 + source.Below(6); j > 0; --j) {
        rules.push_back(source.Rule());
        text += TextOfRule(rules.back());
      }
      auto policy = ParsePolicy("p" + std::to_string(i), text);
      ASSERT_TRUE(policy) << policy.error().message << "\n" << text;
      policies.push_back(std::move(*policy));
      texts += text;
    }
    std::vector<const Policy*> pointers;
    for (const Policy& policy : policies) pointers.push_back(&policy);
    const auto compiled = AccessRules::Compile(pointers);
    for (int i = 0; i < kQuestionsPerSet; ++i, ++asked_in_all) {
      const model::Asked asked = source.Question(rules);
      const bool expected = model::Allowed(rules, asked);
      allowed += expected ? 1 : 0;
      ASSERT_EQ(Decided(*compiled, asked), expected)
          << "seed " << seed << ": " << asked.capability << " " << asked.path << "\n"
          << texts;
    }
  }
  // The questions mean something: some are allowed, and most are not.
  EXPECT_GT(allowed, asked_in_all / 50);
  EXPECT_LT(allowed, asked_in_all / 2);
}

}  // namespace
}  // namespace coffer::auth
