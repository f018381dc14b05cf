#include "coffer/auth/policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "coffer/base/ascii.h"
#include "coffer/base/parse.h"
#include "coffer/hcl/object_reader.h"
#include "coffer/hcl/parse.h"

namespace coffer::auth {
namespace {

using hcl::FailAt;
using hcl::Position;
using hcl::Value;

constexpr std::size_t kMaxPolicyName = 512;
constexpr std::int64_t kLongestWrapping = std::int64_t{10} * 365 * 24 * 3600;

// These would narrow what a rule grants, so a policy that has one is refused: without them it would
// grant more than its author meant.
constexpr std::array<hcl::Hint, 5> kNotHere{
    {{"mfa_methods", "this server has no second factors"},
     {"control_group", "this server has no control groups"},
     {"pagination_limit", "this server does not limit lists by policy"},
     {"expiration", "rules of this server do not expire"},
     {"list_scan_response_keys_filter_path", "this server does not filter lists"}}};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), ToLower);
  return lower;
}

std::string QuotedName(std::string_view name) { return "\"" + std::string(name) + "\""; }

// The names that a template may have after "identity.", each a sequence of words; "*" is any word,
// and "**" any rest.
bool IsTemplateName(std::string_view name) {
  const auto strip = [&name](std::string_view front) {
    if (!name.starts_with(front)) return false;
    name.remove_prefix(front.size());
    return true;
  };
  if (!strip("identity.")) return false;
  if (strip("entity.")) {
    if (strip("aliases.")) {
      const std::size_t dot = name.find('.');
      if (dot == 0 || dot == std::string_view::npos) return false;
      name.remove_prefix(dot + 1);
      if (name.starts_with("custom_metadata.") && name.size() > 16) return true;
    }
    return name == "id" || name == "name" || (strip("metadata.") && !name.empty());
  }
  if (!strip("groups.")) return false;
  const bool by_id = strip("ids.");
  if (!by_id && !strip("names.")) return false;
  const std::size_t dot = name.rfind('.');
  if (dot == 0 || dot == std::string_view::npos) return false;
  const std::string_view last = name.substr(dot + 1);
  return last == (by_id ? "name" : "id") || name.find(".metadata.") != std::string_view::npos;
}

// True if the path has templates; all of them must be well-formed.
Result<bool> HasTemplates(std::string_view path, Position at) {
  bool found = false;
  while (true) {
    const std::size_t open = path.find("{{");
    const std::size_t close = path.find("}}");
    if (open == std::string_view::npos && close == std::string_view::npos) return found;
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
      return FailAt(at, "a template in the path is not closed or not opened");
    }
    const std::string_view name = Trim(path.substr(open + 2, close - open - 2));
    if (!IsTemplateName(name)) {
      return FailAt(at, "the path has a template that is not known: " + QuotedName(name));
    }
    found = true;
    path.remove_prefix(close + 2);
  }
}

Status ReadPath(const hcl::Label& label, PolicyRule& rule) {
  COFFER_ASSIGN(rule.templated, HasTemplates(label.text, label.at));
  rule.path = label.text.substr(label.text.starts_with('/') ? 1 : 0);
  const std::string_view path = rule.path;
  if (path.find("+*") != std::string_view::npos) {
    return FailAt(label.at, "\"+*\" is not allowed in a path");
  }
  rule.segments =
      path == "+" || path.find("/+") != std::string_view::npos || path.starts_with("+/");
  rule.prefix = !rule.segments && path.ends_with('*');
  return {};
}

Status AddCapability(const Value& item, Capabilities& capabilities) {
  if (item.kind != Value::Kind::kText) {
    return FailAt(item.at,
                  "\"capabilities\" must hold strings, not " + std::string(KindName(item.kind)));
  }
  if (item.text == "deny") {
    capabilities.Deny();
    return {};
  }
  const auto capability = ParseCapability(item.text);
  if (!capability) return FailAt(item.at, "unknown capability " + QuotedName(item.text));
  capabilities.Add(*capability);
  return {};
}

Status ReadCapabilities(hcl::ObjectReader& reader, Capabilities& capabilities) {
  const Value* const value = reader.Any("capabilities");
  if (value == nullptr) return {};
  if (value->kind == Value::Kind::kText) return AddCapability(*value, capabilities);
  if (value->kind != Value::Kind::kList) {
    return FailAt(value->at, "\"capabilities\" must be a list of strings, not " +
                                 std::string(KindName(value->kind)));
  }
  for (const Value& item : value->items) COFFER_TRY(AddCapability(item, capabilities));
  return {};
}

// The one word that older policies have in place of capabilities.
Status ReadOldForm(hcl::ObjectReader& reader, Capabilities& capabilities) {
  const Position at = reader.At("policy");
  COFFER_ASSIGN(const auto word, reader.Text("policy"));
  if (!word || word->empty()) return {};
  if (*word == "deny") {
    capabilities.Deny();
    return {};
  }
  const bool sudo = *word == "sudo";
  const bool write = sudo || *word == "write";
  if (!write && *word != "read") return FailAt(at, "unknown policy " + QuotedName(*word));
  capabilities.Add(Capability::kRead);
  capabilities.Add(Capability::kList);
  if (!write) return {};
  capabilities.Add(Capability::kCreate);
  capabilities.Add(Capability::kUpdate);
  capabilities.Add(Capability::kDelete);
  if (sudo) capabilities.Add(Capability::kSudo);
  return {};
}

Result<ListedValue> ReadValue(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kText:
      return ListedValue(value.text);
    case Value::Kind::kInteger:
      return ListedValue(value.integer);
    case Value::Kind::kBool:
      return ListedValue(value.boolean);
    case Value::Kind::kReal:
    case Value::Kind::kList:
    case Value::Kind::kObject:
      break;
  }
  return FailAt(value.at, "a value must be a string, an integer or a boolean, not " +
                              std::string(KindName(value.kind)));
}

Status ReadParameters(hcl::ObjectReader& reader, std::string_view name, ListedParameters& listed) {
  const Value* const value = reader.Any(name);
  if (value == nullptr) return {};
  if (value->kind != Value::Kind::kObject) {
    return FailAt(value->at, QuotedName(name) + " must be an object, not " +
                                 std::string(KindName(value->kind)));
  }
  for (const hcl::Member& member : value->members) {
    auto [place, fresh] = listed.try_emplace(Lower(member.name));
    if (!fresh) return FailAt(member.at, QuotedName(member.name) + " is there twice");
    if (member.value.kind != Value::Kind::kList) {
      COFFER_ASSIGN(auto one, ReadValue(member.value));
      place->second.push_back(std::move(one));
      continue;
    }
    for (const Value& item : member.value.items) {
      COFFER_ASSIGN(auto one, ReadValue(item));
      place->second.push_back(std::move(one));
    }
  }
  return {};
}

Result<PolicyRule> ReadRule(const hcl::Block& block) {
  PolicyRule rule;
  COFFER_TRY(ReadPath(block.labels.front(), rule));
  const std::string what = "path " + QuotedName(block.labels.front().text);
  hcl::ObjectReader reader(*block.body, what);
  COFFER_ASSIGN([[maybe_unused]] const auto comment, reader.Text("comment"));
  COFFER_TRY(ReadCapabilities(reader, rule.capabilities));
  COFFER_TRY(ReadOldForm(reader, rule.capabilities));
  COFFER_TRY(ReadParameters(reader, "allowed_parameters", rule.allowed_parameters));
  COFFER_TRY(ReadParameters(reader, "denied_parameters", rule.denied_parameters));
  COFFER_ASSIGN(const auto required, reader.Texts("required_parameters"));
  for (const std::string& name : required.value_or(std::vector<std::string>())) {
    rule.required_parameters.push_back(Lower(name));
  }
  COFFER_ASSIGN(const auto least, reader.Seconds("min_wrapping_ttl", 0, kLongestWrapping));
  COFFER_ASSIGN(const auto most, reader.Seconds("max_wrapping_ttl", 0, kLongestWrapping));
  rule.min_wrapping_ttl = least.value_or(0);
  rule.max_wrapping_ttl = most.value_or(0);
  if (rule.max_wrapping_ttl != 0 && rule.max_wrapping_ttl < rule.min_wrapping_ttl) {
    return FailAt(reader.At("max_wrapping_ttl"),
                  "\"max_wrapping_ttl\" cannot be less than \"min_wrapping_ttl\"");
  }
  COFFER_TRY(reader.Finish(kNotHere));
  return rule;
}

// "*x*" contains, "*x" ends with, "x*" begins with; a lone "*" is itself, as in the reference.
bool GlobMatches(std::string_view glob, std::string_view text) {
  if (glob.size() < 2) return glob == text;
  const bool front = glob.starts_with('*');
  const bool back = glob.ends_with('*');
  if (front && back) {
    return text.find(glob.substr(1, glob.size() - 2)) != std::string_view::npos;
  }
  if (front) return text.ends_with(glob.substr(1));
  if (back) return text.starts_with(glob.substr(0, glob.size() - 1));
  return glob == text;
}

}  // namespace

ListedValue::ListedValue(std::string text) : text_(std::move(text)) {
  if (const auto number = ParseInt64(text_)) {
    number_ = *number;
  } else if (const auto seconds = ParseDurationSeconds(text_)) {
    number_ = *seconds;
  }
  if (const auto flag = ParseBool(text_)) flag_ = *flag;
}

ListedValue::ListedValue(std::int64_t number)
    : kind_(Kind::kNumber), text_(std::to_string(number)), number_(number), flag_(number != 0) {}

ListedValue::ListedValue(bool flag)
    : kind_(Kind::kFlag), text_(flag ? "true" : "false"), number_(flag ? 1 : 0), flag_(flag) {}

bool ListedValue::Matches(const RequestValue& value) const {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return number_ == *number;
  if (const auto* flag = std::get_if<bool>(&value)) return flag_ == *flag;
  const auto* const text = std::get_if<std::string_view>(&value);
  if (text == nullptr) return false;
  if (kind_ == Kind::kText) return GlobMatches(text_, *text);
  // A text field reads true as "1".
  return text_ == *text || (kind_ == Kind::kFlag && *text == (*flag_ ? "1" : "0"));
}

Result<Policy> ParsePolicy(std::string name, std::string_view text) {
  const hcl::Bounds bounds{.octets = kMaxPolicyBytes, .values = kMaxPolicyBytes};
  COFFER_ASSIGN(const Value document, hcl::Parse(text, bounds));
  hcl::ObjectReader reader(document, "the policy");
  COFFER_ASSIGN([[maybe_unused]] const auto ignored, reader.Text("name"));
  COFFER_ASSIGN(const auto blocks, reader.Blocks("path", 1));
  COFFER_TRY(reader.Finish());
  Policy policy{std::move(name), {}};
  policy.rules.reserve(blocks.size());
  for (const hcl::Block& block : blocks) {
    COFFER_ASSIGN(PolicyRule rule, ReadRule(block));
    policy.rules.push_back(std::move(rule));
  }
  return policy;
}

Result<std::string> PolicyName(std::string_view text) {
  std::string name = Lower(Trim(text, " \t\r\n"));
  const bool sound = std::ranges::none_of(
      name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == ','; });
  if (name.empty() || name.size() > kMaxPolicyName || !sound) {
    return Fail(Code::kInvalid,
                "a policy's name has 1 to 512 bytes and neither commas nor control characters");
  }
  return name;
}

}  // namespace coffer::auth
