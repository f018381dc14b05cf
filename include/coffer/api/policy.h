#pragma once

// Policies: may a token do something on a path? The program's wiring owns one Policy, which
// outlives the services that ask it. Thread-safe. There are no errors: a refusal is a Decision with
// its reason.
// Example: `policy.Decide(entry, Capability::kRead, "transit/keys/k").allowed`

#include <string>
#include <string_view>

#include "coffer/auth/token_store.h"
#include "coffer/base/literal_text.h"

namespace coffer::api {

// The capabilities that a policy can grant on a path, named as in Vault.
enum class Capability { kCreate, kRead, kUpdate, kPatch, kDelete, kList, kScan, kSudo };

// The decision of the policies on a request: the rule that allows it, or the reason why none does.
// Both are recorded in the audit trail.
struct Decision {
  bool allowed = false;
  std::string rule;    // the policy that allows it; empty if none does
  LiteralText reason;  // why it is refused
};

// Decides whether a token may do something. Thread-safe.
class Policy {
 public:
  virtual ~Policy() = default;
  // `path` has neither "/v1/" nor a leading slash. It ends in a slash if it is to be listed,
  // otherwise it does not.
  virtual Decision Decide(const auth::TokenEntry& token, Capability capability,
                          std::string_view path) const = 0;
};

// Allows everything to a token with the policy "root", and nothing to any other.
class RootPolicy final : public Policy {
 public:
  Decision Decide(const auth::TokenEntry& token, Capability capability,
                  std::string_view path) const override;
};

}  // namespace coffer::api
