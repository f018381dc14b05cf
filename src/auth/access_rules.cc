#include "coffer/auth/access_rules.h"

#include <algorithm>
#include <map>
#include <utility>

#include "coffer/base/ascii.h"

namespace coffer::auth {
namespace {

// The parameters of both rules. If one of them lists no values for a parameter, any value is
// listed.
void MergeListed(const ListedParameters& more, ListedParameters& listed) {
  for (const auto& [name, values] : more) {
    const auto [place, fresh] = listed.try_emplace(name, values);
    if (fresh) continue;
    if (values.empty() || place->second.empty()) {
      place->second.clear();
    } else {
      place->second.insert(place->second.end(), values.begin(), values.end());
    }
  }
}

// The smaller of two bounds; 0 is none.
std::int64_t Smaller(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

void MergeRule(const std::string& policy, const PolicyRule& rule, Permission& permission) {
  if (permission.policies.empty() || permission.policies.back() != policy) {
    permission.policies.push_back(policy);
  }
  if (permission.capabilities.Denied()) return;
  permission.capabilities.Add(rule.capabilities);
  if (permission.capabilities.Denied()) return;
  for (std::size_t i = 0; i < kCapabilityCount; ++i) {
    std::string& granted_by = permission.granted_by.at(i);
    if (granted_by.empty() && rule.capabilities.Has(static_cast<Capability>(i))) {
      granted_by = policy;
    }
  }
  MergeListed(rule.allowed_parameters, permission.allowed_parameters);
  MergeListed(rule.denied_parameters, permission.denied_parameters);
  for (const std::string& name : rule.required_parameters) {
    if (std::ranges::find(permission.required_parameters, name) ==
        permission.required_parameters.end()) {
      permission.required_parameters.push_back(name);
    }
  }
  permission.min_wrapping_ttl = Smaller(permission.min_wrapping_ttl, rule.min_wrapping_ttl);
  permission.max_wrapping_ttl = Smaller(permission.max_wrapping_ttl, rule.max_wrapping_ttl);
}

// Finds a name that a request may write in upper case, too, without memory for its lower case.
const std::vector<ListedValue>* FindListed(const ListedParameters& listed, std::string_view name) {
  for (const auto& [known, values] : listed) {
    if (EqualsIgnoringCase(known, name)) return &values;
  }
  return nullptr;
}

bool IsListed(const std::vector<ListedValue>& listed, const RequestValue& value) {
  return listed.empty() ||
         std::ranges::any_of(listed, [&](const ListedValue& one) { return one.Matches(value); });
}

// True if one of the values is denied.
bool AnyListed(const std::vector<ListedValue>& listed, const Parameter& parameter) {
  if (listed.empty()) return true;
  return std::ranges::any_of(parameter.values,
                             [&](const RequestValue& value) { return IsListed(listed, value); });
}

// True if every value is allowed. A map has no values, so only a name without values allows it.
bool AllListed(const std::vector<ListedValue>& listed, const Parameter& parameter) {
  if (listed.empty()) return true;
  return !parameter.values.empty() &&
         std::ranges::all_of(parameter.values,
                             [&](const RequestValue& value) { return IsListed(listed, value); });
}

bool WrappingFits(const Permission& rule, std::optional<std::int64_t> ttl) {
  const std::int64_t least = rule.min_wrapping_ttl;
  const std::int64_t most = rule.max_wrapping_ttl;
  if (least == 0 && most == 0) return true;
  // Merged bounds may contradict each other: then nothing fits.
  return ttl && *ttl >= least && (most == 0 || *ttl <= most);
}

bool ReadsParameters(Capability capability) {
  return capability == Capability::kRead || capability == Capability::kUpdate ||
         capability == Capability::kCreate || capability == Capability::kPatch;
}

bool Lists(Capability capability) {
  return capability == Capability::kList || capability == Capability::kScan;
}

std::string_view TakeSegment(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return segment;
}

}  // namespace

// Compiles rules one by one.
class AccessRules::Builder {
 public:
  void Add(const std::string& policy, const PolicyRule& rule) {
    if (rule.templated) return;
    const auto [place, fresh] = index_.try_emplace(rule.path, rules_->permissions_.size());
    if (fresh) {
      rules_->permissions_.emplace_back().path = rule.path;
      if (rule.segments || rule.prefix) {
        AddPattern(rule, place->second);
      } else {
        rules_->exact_.emplace(rule.path, place->second);
      }
    }
    MergeRule(policy, rule, rules_->permissions_[place->second]);
  }
  void MakeRoot() { rules_->root_ = true; }
  std::shared_ptr<const AccessRules> Take() {
    // The enclosing head of each: the nearest earlier one that it begins with.
    std::vector<std::size_t> open;
    for (auto& [head, patterns] : groups_) {
      auto& all = rules_->groups_;
      while (!open.empty() && !head.starts_with(all[open.back()].head)) open.pop_back();
      std::ranges::sort(patterns,
                        [](const Pattern& a, const Pattern& b) { return CountsMore(a, b); });
      all.push_back({head, open.empty() ? kNone : open.back(), std::move(patterns)});
      open.push_back(all.size() - 1);
    }
    return std::move(rules_);
  }

 private:
  void AddPattern(const PolicyRule& rule, std::size_t permission) {
    Pattern pattern{permission, rule.path, rule.path.ends_with('*'), 0, rule.segments};
    if (pattern.prefix) pattern.text.pop_back();
    std::string_view rest = pattern.text;
    while (rule.segments && !rest.empty()) pattern.wildcards += TakeSegment(rest) == "+" ? 1 : 0;
    const std::size_t head = rule.segments ? rule.path.find('+') : pattern.text.size();
    groups_[pattern.text.substr(0, head)].push_back(std::move(pattern));
  }

  std::shared_ptr<AccessRules> rules_{new AccessRules()};
  std::unordered_map<std::string, std::size_t> index_;
  std::map<std::string, std::vector<Pattern>> groups_;
};

std::shared_ptr<const AccessRules> AccessRules::Compile(std::span<const Policy* const> policies) {
  Builder builder;
  for (const Policy* const policy : policies) {
    if (policy->name == kRootPolicy) builder.MakeRoot();
    for (const PolicyRule& rule : policy->rules) builder.Add(policy->name, rule);
  }
  return builder.Take();
}

const Permission* AccessRules::Exact(std::string_view path) const {
  const auto found = exact_.find(path);
  return found == exact_.end() ? nullptr : &permissions_[found->second];
}

bool AccessRules::CountsMore(const Pattern& a, const Pattern& b) {
  if (a.prefix != b.prefix) return !a.prefix;
  if (a.wildcards != b.wildcards) return a.wildcards < b.wildcards;
  if (a.text.size() != b.text.size()) return a.text.size() > b.text.size();
  return a.text > b.text;
}

bool AccessRules::CountsMore(const Match& a, const Match& b) {
  if (a.group->head.size() != b.group->head.size()) {
    return a.group->head.size() > b.group->head.size();
  }
  return CountsMore(*a.pattern, *b.pattern);
}

bool AccessRules::Fits(const Pattern& pattern, std::string_view path) {
  if (!pattern.segments) return path.starts_with(pattern.text);
  std::string_view wanted = pattern.text;
  while (true) {
    const bool last_wanted = wanted.find('/') == std::string_view::npos;
    const bool last = path.find('/') == std::string_view::npos;
    const std::string_view want = TakeSegment(wanted);
    const std::string_view segment = TakeSegment(path);
    if (last_wanted) {
      if (!pattern.prefix) return last && (want == "+" || want == segment);
      return want == "+" || segment.starts_with(want);
    }
    if (last || (want != "+" && want != segment)) return false;
  }
}

AccessRules::Match AccessRules::FindPattern(std::string_view path) const {
  // The last head that is not after the path; every head that the path begins with encloses it.
  const auto after = std::ranges::upper_bound(
      groups_, path, {}, [](const Group& group) { return std::string_view(group.head); });
  if (after == groups_.begin()) return {};
  auto at = static_cast<std::size_t>(after - groups_.begin()) - 1;
  while (at != kNone) {
    const Group& group = groups_[at];
    if (path.starts_with(group.head)) {
      for (const Pattern& pattern : group.patterns) {
        if (Fits(pattern, path)) return {&group, &pattern};
      }
    }
    at = group.outer;
  }
  return {};
}

const Permission* AccessRules::Find(std::string_view path, bool lists) const {
  if (const Permission* const exact = Exact(path)) return exact;
  const Match with_slash = FindPattern(path);
  const auto permission = [this](const Match& match) {
    return match.pattern == nullptr ? nullptr : &permissions_[match.pattern->permission];
  };
  if (!lists || !path.ends_with('/')) return permission(with_slash);
  path.remove_suffix(1);
  if (const Permission* const exact = Exact(path)) return exact;
  const Match without = FindPattern(path);
  if (with_slash.pattern == nullptr) return permission(without);
  if (without.pattern == nullptr) return permission(with_slash);
  // A denial by either pattern denies the list (docs/adr/0028-policies.md).
  if (permission(without)->capabilities.Denied()) return permission(without);
  if (permission(with_slash)->capabilities.Denied()) return permission(with_slash);
  return permission(CountsMore(with_slash, without) ? with_slash : without);
}

LiteralText AccessRules::CheckParameters(const Permission& rule,
                                         std::span<const Parameter> parameters) {
  for (const std::string& required : rule.required_parameters) {
    const bool given = std::ranges::any_of(parameters, [&](const Parameter& parameter) {
      return EqualsIgnoringCase(parameter.name, required);
    });
    if (!given) return "a parameter that the rule requires is missing";
  }
  if (parameters.empty()) return {};
  if (rule.denied_parameters.contains("*")) return "the rule denies all parameters";
  for (const Parameter& parameter : parameters) {
    const auto* const denied = FindListed(rule.denied_parameters, parameter.name);
    if (denied != nullptr && AnyListed(*denied, parameter)) return "the rule denies a parameter";
  }
  if (rule.allowed_parameters.empty()) return {};
  const bool others = rule.allowed_parameters.contains("*");
  if (others && rule.allowed_parameters.size() == 1) return {};
  for (const Parameter& parameter : parameters) {
    const auto* const allowed = FindListed(rule.allowed_parameters, parameter.name);
    const bool fits = allowed == nullptr ? others : AllListed(*allowed, parameter);
    if (!fits) return "the rule does not allow a parameter";
  }
  return {};
}

Decision AccessRules::Decide(const Question& question) const {
  if (root_) return {true, nullptr, kRootPolicy, {}};
  const Permission* const rule = Find(question.path, Lists(question.capability));
  if (rule == nullptr) return {false, nullptr, {}, "no rule of the token's policies matches"};
  if (rule->capabilities.Denied()) return {false, rule, {}, "the rule denies the path"};
  if (!rule->capabilities.Has(question.capability)) {
    return {false, rule, {}, "the rule does not grant the capability"};
  }
  if (question.sudo && !rule->capabilities.Has(Capability::kSudo)) {
    return {false, rule, {}, "the path is protected, and the rule does not grant sudo"};
  }
  if (!WrappingFits(*rule, question.wrapping_ttl)) {
    return {false, rule, {}, "the rule asks for a wrapped answer of another lifetime"};
  }
  if (ReadsParameters(question.capability) && !question.parameters_refused.Empty()) {
    return {false, rule, {}, question.parameters_refused};
  }
  return {true, rule, rule->granted_by.at(static_cast<std::size_t>(question.capability)), {}};
}

bool AccessRules::MayReachBelow(std::string_view prefix) const {
  if (root_) return true;
  const auto overlaps = [prefix](std::string_view path) {
    std::string_view rest = prefix;
    while (!rest.empty()) {
      if (path == "*" || path.empty()) return !path.empty();
      const bool last = path.find('/') == std::string_view::npos;
      const std::string_view want = TakeSegment(path);
      const std::string_view segment = TakeSegment(rest);
      if (last && want.ends_with('*')) return segment.starts_with(want.substr(0, want.size() - 1));
      if (want != "+" && want != segment) return false;
    }
    return true;
  };
  return std::ranges::any_of(permissions_, [&](const Permission& permission) {
    return !permission.capabilities.Empty() && overlaps(permission.path);
  });
}

}  // namespace coffer::auth
