#pragma once

// A slow evaluator of policies, written from the description of the reference's rules and not from
// our code: it looks at every rule for every question.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace coffer::auth::model {

// A parameter's value: a text or a number. What a policy lists and what a request has are alike.
struct Value {
  bool number = false;
  std::string text;
};
using Listed = std::map<std::string, std::vector<Value>>;

struct Rule {
  std::string path;
  std::set<std::string> capabilities;
  Listed allowed;
  Listed denied;
  std::vector<std::string> required;
  std::int64_t min_wrapping = 0;
  std::int64_t max_wrapping = 0;
};
using Rules = std::vector<Rule>;  // of all policies, in their order

struct Asked {
  std::string path;  // that of a list ends in a slash
  std::string capability;
  bool sudo = false;
  std::vector<std::pair<std::string, Value>> parameters;
  std::optional<std::int64_t> wrapping;
};

inline std::vector<std::string> Segments(const std::string& path) {
  std::vector<std::string> segments(1);
  for (const char c : path) {
    if (c == '/') {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  return segments;
}

inline bool HasPlus(const std::string& path) {
  return path == "+" || path.find("/+") != std::string::npos || path.rfind("+/", 0) == 0;
}
inline bool HasStar(const std::string& path) { return !path.empty() && path.back() == '*'; }

// Does a rule with "+" or "*" fit the path?
inline bool Fits(const std::string& rule, const std::string& path) {
  const bool star = HasStar(rule);
  const std::string text = star ? rule.substr(0, rule.size() - 1) : rule;
  if (!HasPlus(rule)) return star && path.compare(0, text.size(), text) == 0;
  const auto wanted = Segments(text);
  const auto there = Segments(path);
  if (there.size() < wanted.size() || (!star && there.size() != wanted.size())) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool last = i + 1 == wanted.size();
    const bool same = wanted[i] == "+" || wanted[i] == there[i];
    const bool begins = star && last && there[i].compare(0, wanted[i].size(), wanted[i]) == 0;
    if (!same && !begins) return false;
  }
  return true;
}

// The larger key counts more: the first "+" or "*" further right, no "*", fewer "+", longer, later
// in the alphabet.
inline auto Rank(const std::string& rule) {
  const bool plus = HasPlus(rule);
  const bool star = HasStar(rule);
  const std::string text = star ? rule.substr(0, rule.size() - 1) : rule;
  int pluses = 0;
  if (plus) {
    for (const std::string& segment : Segments(text)) pluses -= segment == "+" ? 1 : 0;
  }
  const std::size_t first = plus ? rule.find('+') : text.size();
  return std::make_tuple(first, !star, pluses, text.size(), text);
}

inline bool IsExact(const std::string& path) { return !HasPlus(path) && !HasStar(path); }

inline std::optional<std::string> Exact(const Rules& rules, const std::string& path) {
  for (const Rule& rule : rules) {
    if (IsExact(rule.path) && rule.path == path) return rule.path;
  }
  return std::nullopt;
}

inline std::optional<std::string> Best(const Rules& rules, const std::string& path) {
  std::optional<std::string> best;
  for (const Rule& rule : rules) {
    if (IsExact(rule.path) || !Fits(rule.path, path)) continue;
    if (!best || Rank(rule.path) > Rank(*best)) best = rule.path;
  }
  return best;
}

inline bool Denies(const Rules& rules, const std::string& path) {
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return rule.path == path && rule.capabilities.count("deny") > 0;
  });
}

// The path of the rules that decide.
inline std::optional<std::string> Deciding(const Rules& rules, const Asked& asked) {
  if (const auto exact = Exact(rules, asked.path)) return exact;
  const bool list = asked.capability == "list" || asked.capability == "scan";
  const auto with = Best(rules, asked.path);
  if (!list || asked.path.empty() || asked.path.back() != '/') return with;
  const std::string shorter = asked.path.substr(0, asked.path.size() - 1);
  if (const auto exact = Exact(rules, shorter)) return exact;
  const auto without = Best(rules, shorter);
  if (!with || !without) return with ? with : without;
  if (Denies(rules, *without)) return without;
  if (Denies(rules, *with)) return with;
  return Rank(*with) > Rank(*without) ? with : without;
}

inline bool Glob(const std::string& glob, const std::string& text) {
  if (glob.size() < 2) return glob == text;
  const bool front = glob.front() == '*';
  const bool back = glob.back() == '*';
  const std::string middle =
      glob.substr(front ? 1 : 0, glob.size() - (front ? 1 : 0) - (back ? 1 : 0));
  if (!front && !back) return glob == text;
  for (std::size_t at = 0; at + middle.size() <= text.size(); ++at) {
    if (text.compare(at, middle.size(), middle) != 0) continue;
    if ((front || at == 0) && (back || at + middle.size() == text.size())) return true;
  }
  return false;
}

inline bool IsNumber(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

inline bool Same(const Value& listed, const Value& given) {
  if (given.number) return (listed.number || IsNumber(listed.text)) && listed.text == given.text;
  return listed.number ? listed.text == given.text : Glob(listed.text, given.text);
}

// The listed values of a name in all rules of the path: nothing if no rule lists the name, none if
// one lists it without values.
inline std::optional<std::vector<Value>> ListedOf(const std::vector<const Rule*>& rules,
                                                  Listed Rule::*which, const std::string& name) {
  std::optional<std::vector<Value>> values;
  bool any = false;
  for (const Rule* const rule : rules) {
    const Listed& listed = rule->*which;
    const auto found = listed.find(name);
    if (found == listed.end()) continue;
    if (!values) values.emplace();
    any = any || found->second.empty();
    values->insert(values->end(), found->second.begin(), found->second.end());
  }
  if (any) values->clear();
  return values;
}

inline std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

inline bool InList(const std::vector<Value>& listed, const Value& given) {
  return listed.empty() || std::any_of(listed.begin(), listed.end(),
                                       [&](const Value& one) { return Same(one, given); });
}

inline bool ParametersFit(const std::vector<const Rule*>& rules, const Asked& asked) {
  for (const Rule* const rule : rules) {
    for (const std::string& name : rule->required) {
      if (std::none_of(asked.parameters.begin(), asked.parameters.end(),
                       [&](const auto& given) { return Lower(given.first) == Lower(name); })) {
        return false;
      }
    }
  }
  if (asked.parameters.empty()) return true;
  if (ListedOf(rules, &Rule::denied, "*")) return false;
  bool lists_any = false;
  bool lists_others = false;
  for (const Rule* const rule : rules) {
    lists_any = lists_any || !rule->allowed.empty();
    for (const auto& [name, values] : rule->allowed) lists_others = lists_others || name != "*";
  }
  const bool star = ListedOf(rules, &Rule::allowed, "*").has_value();
  for (const auto& [name, value] : asked.parameters) {
    const auto denied = ListedOf(rules, &Rule::denied, Lower(name));
    if (denied && InList(*denied, value)) return false;
    if (!lists_any || (star && !lists_others)) continue;
    const auto allowed = ListedOf(rules, &Rule::allowed, Lower(name));
    if (allowed ? !InList(*allowed, value) : !star) return false;
  }
  return true;
}

inline bool Allowed(const Rules& rules, const Asked& asked) {
  const auto path = Deciding(rules, asked);
  if (!path || Denies(rules, *path)) return false;
  std::vector<const Rule*> same;
  std::set<std::string> capabilities;
  std::int64_t least = 0;
  std::int64_t most = 0;
  for (const Rule& rule : rules) {
    if (rule.path != *path) continue;
    same.push_back(&rule);
    capabilities.insert(rule.capabilities.begin(), rule.capabilities.end());
    if (rule.min_wrapping > 0 && (least == 0 || rule.min_wrapping < least))
      least = rule.min_wrapping;
    if (rule.max_wrapping > 0 && (most == 0 || rule.max_wrapping < most)) most = rule.max_wrapping;
  }
  if (capabilities.count(asked.capability) == 0) return false;
  if (asked.sudo && capabilities.count("sudo") == 0) return false;
  if (most > 0 && (!asked.wrapping || *asked.wrapping > most)) return false;
  if (least > 0 && (!asked.wrapping || *asked.wrapping < least)) return false;
  const bool reads = asked.capability == "read" || asked.capability == "update" ||
                     asked.capability == "create" || asked.capability == "patch";
  return !reads || ParametersFit(same, asked);
}

}  // namespace coffer::auth::model
