#pragma once

#include <string>
#include <string_view>

#include "coffer/auth/token_store.h"
#include "coffer/base/literal_text.h"

namespace coffer::api {

// What a policy grants on a path; vault-compatible names.
enum class Capability { kCreate, kRead, kUpdate, kPatch, kDelete, kList, kScan, kSudo };

// What the policies say about a request: by which rule, or why they say no. The trail has both.
struct Decision {
  bool allowed = false;
  std::string rule;    // the policy that grants it; empty where none does
  LiteralText reason;  // of a refusal
};

// Decides whether a token may do something. Thread-safe.
class Policy {
 public:
  virtual ~Policy() = default;
  // `path` has neither "/v1/" nor a leading slash; it ends in one where it is listed, else it does
  // not.
  virtual Decision Decide(const auth::TokenEntry& token, Capability capability,
                          std::string_view path) const = 0;
};

// A token with the policy "root" may do everything, any other nothing.
class RootPolicy final : public Policy {
 public:
  Decision Decide(const auth::TokenEntry& token, Capability capability,
                  std::string_view path) const override;
};

}  // namespace coffer::api
