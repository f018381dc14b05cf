#include "coffer/auth/token_plan.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "coffer/base/ascii.h"

namespace coffer::auth {
namespace {

using std::chrono::seconds;

tl::unexpected<Error> Invalid(LiteralText text) { return Fail(Code::kInvalid, text); }

bool Contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

// "a*", "*a", "*a*", or the text itself.
bool FitsGlob(std::string_view glob, std::string_view text) {
  if (glob == "*") return true;
  const bool front = glob.size() > 1 && glob.starts_with('*');
  const bool back = glob.size() > 1 && glob.ends_with('*');
  if (front && back) {
    return text.find(glob.substr(1, glob.size() - 2)) != std::string_view::npos;
  }
  if (front) return text.ends_with(glob.substr(1));
  if (back) return text.starts_with(glob.substr(0, glob.size() - 1));
  return glob == text;
}

bool FitsAny(const std::vector<std::string>& globs, std::string_view text) {
  return std::ranges::any_of(globs, [&](const std::string& glob) { return FitsGlob(glob, text); });
}

std::string QuotedList(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "\"" : " \"") + text + "\"";
  return "[" + list + "]";
}

std::string InSeconds(std::int64_t count) { return std::to_string(count) + " seconds"; }

// The policies by a role's lists of what is allowed and what is not.
Result<std::vector<std::string>> PoliciesOfRole(const TokenRole& role, const TokenEntry& parent,
                                                const TokenRequest& request) {
  const bool with_default = !role.no_default_policy && !request.no_default_policy &&
                            !Contains(role.disallowed_policies, kDefaultPolicy) &&
                            !FitsAny(role.disallowed_policies_glob, kDefaultPolicy);
  const bool only_allowed = !role.allowed_policies.empty() || !role.allowed_policies_glob.empty();
  const auto allowed = SanitizedPolicies(role.allowed_policies, with_default);
  std::vector<std::string> policies;
  if (!request.policies.empty()) {
    policies = SanitizedPolicies(request.policies, with_default);
  } else if (only_allowed) {
    policies = allowed;
  } else {
    policies = SanitizedPolicies(parent.policies, with_default);
  }
  for (const std::string& policy : policies) {
    if (only_allowed && !Contains(allowed, policy) &&
        !FitsAny(role.allowed_policies_glob, policy)) {
      return Fail(Code::kInvalid, "token policies (" + QuotedList(policies) +
                                      ") must be subset of the role's allowed policies (" +
                                      QuotedList(allowed) + ") or glob policies (" +
                                      QuotedList(role.allowed_policies_glob) + ")");
    }
    if (Contains(role.disallowed_policies, policy) ||
        FitsAny(role.disallowed_policies_glob, policy)) {
      return Fail(Code::kInvalid, "token policy \"" + policy + "\" is disallowed by this role");
    }
  }
  return policies;
}

Result<std::vector<std::string>> PoliciesOfNewToken(const TokenCreation& maker,
                                                    const TokenRequest& request) {
  const TokenEntry& parent = maker.token;
  const TokenRole* const role = maker.role;
  if (role != nullptr &&
      (!role->allowed_policies.empty() || !role->disallowed_policies.empty() ||
       !role->allowed_policies_glob.empty() || !role->disallowed_policies_glob.empty())) {
    return PoliciesOfRole(*role, parent, request);
  }
  const bool no_default = request.no_default_policy || (role != nullptr && role->no_default_policy);
  if (request.policies.empty()) {
    auto policies = SanitizedPolicies(parent.policies, false);
    if (no_default) std::erase(policies, kDefaultPolicy);
    return policies;
  }
  if (maker.sudo) return SanitizedPolicies(request.policies, !no_default);
  for (const std::string& policy : SanitizedPolicies(request.policies, false)) {
    if (!Contains(parent.policies, policy) && !parent.IsRoot()) {
      return Invalid("child policies must be subset of parent");
    }
  }
  const bool inherited = Contains(parent.policies, kDefaultPolicy);
  return SanitizedPolicies(request.policies, inherited && !no_default);
}

// The bytes that a token's row may take, and its entry in memory.
constexpr std::size_t kMaxTokenBytes = std::size_t{64} * 1024;
constexpr std::size_t kTextBytes = 32;  // of a text beside its characters

bool TakesTooMuch(const TokenRequest& request) {
  std::size_t size = request.id.size() + request.display_name.size();
  for (const std::string& policy : request.policies) size += policy.size() + kTextBytes;
  for (const auto& [name, value] : request.metadata) {
    size += name.size() + value.size() + 2 * kTextBytes;
  }
  return size > kMaxTokenBytes;
}

Status CheckRequest(const TokenCreation& maker, const TokenRequest& request) {
  if (TakesTooMuch(request)) {
    return Invalid("the policies, metadata and names of a token take at most 64 KiB");
  }
  if (maker.token.uses > 0) {
    return Invalid("restricted use token cannot generate child tokens");
  }
  if (request.type == "batch") return Invalid("this server makes no batch tokens");
  if (!request.type.empty() && request.type != "service") return Invalid("invalid 'type' value");
  if (request.uses < 0) return Invalid("number of uses cannot be negative");
  const bool by_role = maker.role != nullptr && maker.role->orphan;
  if (request.no_parent && !maker.sudo && !maker.orphans && !by_role) {
    return Invalid("root or sudo privileges required to create orphan token");
  }
  if (request.period > 0 && !maker.sudo) {
    return Invalid("root or sudo privileges required to create periodic token");
  }
  if (request.period > kLongestPeriod) return Invalid("a period is at most 100 years long");
  if (request.id.empty()) return {};
  if (!maker.sudo) return Invalid("root or sudo privileges required to specify token id");
  if (request.id.starts_with("hvs.")) {
    return Invalid("custom token ID cannot have the 'hvs.' prefix");
  }
  if (request.id.starts_with("s.")) return Invalid("custom token ID cannot have the 's.' prefix");
  if (request.id.find('.') != std::string::npos) {
    return Invalid("custom token ID cannot have a '.' in the value");
  }
  return {};
}

// The least of two bounds; 0 is none.
std::int64_t Least(std::int64_t a, std::int64_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

Status PlanLifetime(const TokenCreation& maker, const TokenRequest& request, SystemTime now,
                    TokenPlan& plan) {
  TokenEntry& entry = plan.entry;
  entry.explicit_max_ttl = request.explicit_max_ttl;
  if (entry.explicit_max_ttl > kSystemTtl) {
    plan.warnings.push_back("Explicit max TTL of " + InSeconds(entry.explicit_max_ttl) +
                            " is greater than system/mount allowed value; value is being capped "
                            "to " +
                            InSeconds(kSystemTtl));
    entry.explicit_max_ttl = kSystemTtl;
  }
  entry.period = request.period;
  if (maker.role != nullptr) {
    entry.explicit_max_ttl = Least(entry.explicit_max_ttl, maker.role->explicit_max_ttl);
    entry.period = Least(entry.period, maker.role->period);
  }
  std::int64_t ttl = entry.period > 0 ? entry.period : request.ttl;
  if (ttl == 0 && !entry.IsRoot()) ttl = kSystemTtl;
  const std::int64_t most =
      entry.period > 0 ? entry.explicit_max_ttl : Least(kSystemTtl, entry.explicit_max_ttl);
  // A root token without a lifetime is bound by an explicit one alone.
  if (ttl == 0) ttl = entry.explicit_max_ttl;
  if (most > 0 && ttl > most) {
    plan.warnings.push_back("TTL of " + InSeconds(ttl) + " exceeded the effective max_ttl of " +
                            InSeconds(most) + "; TTL value is capped accordingly");
    ttl = most;
  }
  entry.creation_ttl = ttl;
  if (ttl > 0) {
    entry.expires = now + seconds(ttl);
    return {};
  }
  if (maker.token.expires) {
    return Invalid("expiring root tokens cannot create non-expiring root tokens");
  }
  entry.renewable = false;
  return {};
}

std::string DisplayName(const std::string& wanted) {
  std::string name = wanted;
  for (char& c : name) {
    const bool plain = (c >= '0' && c <= '9') || (ToLower(c) >= 'a' && ToLower(c) <= 'z');
    if (!plain) c = '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "token" : "token-" + name;
}

}  // namespace

std::vector<std::string> NormalizedNames(const std::vector<std::string>& policies) {
  std::set<std::string> names;
  for (const std::string& policy : policies) {
    std::string name(Trim(policy, " \t\r\n"));
    std::ranges::transform(name, name.begin(), ToLower);
    if (!name.empty()) names.insert(std::move(name));
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> SanitizedPolicies(const std::vector<std::string>& policies,
                                           bool with_default) {
  std::vector<std::string> names = NormalizedNames(policies);
  if (Contains(names, kRootPolicy)) return {std::string(kRootPolicy)};
  if (with_default && !Contains(names, kDefaultPolicy)) {
    names.insert(std::ranges::upper_bound(names, kDefaultPolicy), std::string(kDefaultPolicy));
  }
  return names;
}

Result<TokenPlan> PlanToken(const TokenCreation& maker, const TokenRequest& request,
                            SystemTime now) {
  COFFER_TRY(CheckRequest(maker, request));
  TokenPlan plan;
  TokenEntry& entry = plan.entry;
  COFFER_ASSIGN(entry.policies, PoliciesOfNewToken(maker, request));
  if (entry.IsRoot() && !maker.token.IsRoot()) {
    return Invalid("root tokens may not be created without parent token being root");
  }
  entry.display_name = DisplayName(request.display_name);
  entry.metadata = request.metadata;
  entry.created = now;
  entry.uses = request.uses;
  entry.renewable = request.renewable;
  entry.orphan = request.no_parent || maker.orphans;
  entry.path = maker.orphans ? "auth/token/create-orphan" : "auth/token/create";
  if (const TokenRole* const role = maker.role) {
    entry.role = role->name;
    entry.path = "auth/token/create/" + role->name;
    if (!role->path_suffix.empty()) entry.path += "/" + role->path_suffix;
    entry.orphan = entry.orphan || role->orphan;
    entry.renewable = entry.renewable && role->renewable;
    entry.uses = Least(entry.uses, role->uses);
    entry.bound_cidrs = role->bound_cidrs;
  }
  // A child is not less bound than its parent.
  if (entry.bound_cidrs.empty() && !entry.orphan) entry.bound_cidrs = maker.token.bound_cidrs;
  if (!entry.orphan) entry.parent = maker.token.hash;
  COFFER_TRY(PlanLifetime(maker, request, now, plan));
  return plan;
}

Result<RenewalPlan> PlanRenewal(const TokenEntry& token, std::int64_t increment, SystemTime now) {
  if (!token.renewable || !token.expires) return Invalid("lease is not renewable");
  const std::int64_t wanted =
      token.period > 0 ? token.period : (increment > 0 ? increment : token.creation_ttl);
  const std::int64_t most =
      token.period > 0 ? token.explicit_max_ttl : Least(kSystemTtl, token.explicit_max_ttl);
  RenewalPlan plan{now + seconds(std::min(wanted, kLongestPeriod)), {}};
  if (most == 0) return plan;
  const SystemTime last = token.created + seconds(most);
  if (last <= now) return Invalid("past the max TTL, cannot renew");
  if (plan.expires > last) {
    plan.expires = last;
    plan.warnings.push_back("TTL of " + InSeconds(wanted) + " exceeded the effective max_ttl of " +
                            InSeconds(most) + "; TTL value is capped accordingly");
  }
  return plan;
}

}  // namespace coffer::auth
