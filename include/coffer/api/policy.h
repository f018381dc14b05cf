#pragma once

#include <string_view>

#include "coffer/auth/token_store.h"

namespace coffer::api {

// What a policy grants on a path; vault-compatible names.
enum class Capability { kCreate, kRead, kUpdate, kPatch, kDelete, kList, kScan, kSudo };

// Decides whether a token may do something. Thread-safe.
class Policy {
 public:
  virtual ~Policy() = default;
  // `path` has neither "/v1/" nor a leading slash; it ends in one where it is listed, else it does
  // not.
  virtual bool Allows(const auth::TokenEntry& token, Capability capability,
                      std::string_view path) const = 0;
};

// A token with the policy "root" may do everything, any other nothing.
class RootPolicy final : public Policy {
 public:
  bool Allows(const auth::TokenEntry& token, Capability capability,
              std::string_view path) const override;
};

}  // namespace coffer::api
