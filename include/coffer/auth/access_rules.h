#pragma once

// The rules of several policies, compiled into one structure that decides about requests. The
// caller of Compile() owns it, and shares it: it is immutable, so any thread may use it. A decision
// allocates no memory and takes no lock.
// There are no errors: a refusal is a Decision with its reason.
// Example: `rules->Decide({.path = "transit/keys/k", .capability = Capability::kRead}).allowed`

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coffer/auth/capability.h"
#include "coffer/auth/policy.h"
#include "coffer/base/literal_text.h"

namespace coffer::auth {

// All rules of a token's policies that have the same path, merged as Vault and OpenBao merge them:
// the capabilities are added up unless one rule denies, a parameter that one rule lists is listed,
// and the smaller bounds of wrapped answers hold.
struct Permission {
  std::string path;  // as the policies have it
  Capabilities capabilities;
  std::vector<std::string> policies;                       // those that have a rule of this path
  std::array<std::string, kCapabilityCount> granted_by{};  // the first policy that grants it
  ListedParameters allowed_parameters;
  ListedParameters denied_parameters;
  std::vector<std::string> required_parameters;
  std::int64_t min_wrapping_ttl = 0;
  std::int64_t max_wrapping_ttl = 0;

  // True if a decision depends on the parameters of a request.
  bool NamesParameters() const {
    return !allowed_parameters.empty() || !denied_parameters.empty() ||
           !required_parameters.empty();
  }
};

// A parameter of a request. A list has each of its values; a map and a list of lists have none.
struct Parameter {
  std::string_view name;
  std::vector<RequestValue> values;
};

// The question that a decision answers. A path has no slash in front; that of a list ends in one.
struct Question {
  std::string_view path;
  Capability capability = Capability::kRead;
  bool sudo = false;  // the operation is protected: the rule must grant sudo, too
  LiteralText parameters_refused =
      {};  // what CheckParameters() said of the permission for the path
  std::optional<std::int64_t> wrapping_ttl = {};  // of the wrapped answer that is asked for
};

// The answer of the policies, which points into the rules that gave it.
struct Decision {
  bool allowed = false;
  const Permission* rule = nullptr;  // the rule that decided; null: none matches, or root
  std::string_view policy;           // the policy that allows it; empty if none does
  LiteralText reason;                // why it is refused
};

class AccessRules {
 public:
  // Leaves templated rules out. A policy called "root" allows everything.
  static std::shared_ptr<const AccessRules> Compile(std::span<const Policy* const> policies);

  bool Root() const { return root_; }
  // The permission that decides about a path; null if there is none. `lists`: the operation is a
  // list, so a rule for the path without its slash at the end counts, too.
  const Permission* Find(std::string_view path, bool lists) const;
  // Why the permission refuses these parameters; empty: it does not.
  static LiteralText CheckParameters(const Permission& rule, std::span<const Parameter> parameters);
  Decision Decide(const Question& question) const;
  // All permissions, for answers that describe them.
  const std::vector<Permission>& Permissions() const { return permissions_; }
  // True if some rule could grant something on a path that begins with `prefix`.
  bool MayReachBelow(std::string_view prefix) const;

 private:
  // A rule with "+" or with "*" at its end.
  struct Pattern {
    std::size_t permission = 0;
    std::string text;  // without the asterisk
    bool prefix = false;
    std::size_t wildcards = 0;
    bool segments = false;
  };
  // The patterns whose text before the first "+", or before the asterisk, is `head`; the one that
  // counts most comes first. A longer head counts more than a shorter one, so that a search goes
  // from a head to the longest other head that it begins with.
  struct Group {
    std::string head;
    std::size_t outer = kNone;
    std::vector<Pattern> patterns;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Match {
    const Group* group = nullptr;
    const Pattern* pattern = nullptr;
  };
  class Builder;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  AccessRules() = default;
  const Permission* Exact(std::string_view path) const;
  Match FindPattern(std::string_view path) const;
  static bool Fits(const Pattern& pattern, std::string_view path);
  static bool CountsMore(const Match& a, const Match& b);
  static bool CountsMore(const Pattern& a, const Pattern& b);

  bool root_ = false;
  std::vector<Permission> permissions_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> exact_;
  std::vector<Group> groups_;  // by head
};

}  // namespace coffer::auth
