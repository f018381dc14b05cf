#pragma once

// An API token as TokenStore reads and writes it. A value, which the caller owns; entries that the
// store returns are shared by all threads and never change. There are no errors.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coffer/auth/policy.h"
#include "coffer/base/address_set.h"
#include "coffer/base/clock.h"
#include "coffer/crypto/digest.h"

namespace coffer::auth {

// The facts about a token, without the token itself. Times are in seconds; 0 means none.
struct TokenEntry {
  std::string accessor;
  std::string display_name;
  std::vector<std::string> policies;
  SystemTime created{};
  std::string path = "auth/token/create";  // of the request that made it
  std::string role;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::string> bound_cidrs;
  AddressSet bound_addresses;         // what bound_cidrs say; empty: any
  std::optional<SystemTime> expires;  // nothing: it never ends by itself
  std::optional<SystemTime> last_renewal;
  std::int64_t creation_ttl = 0;
  std::int64_t explicit_max_ttl = 0;
  std::int64_t period = 0;
  std::int64_t uses = 0;  // how often it may still be used; 0: any number
  bool renewable = false;
  bool orphan = true;
  crypto::Sha256Digest hash{};                 // the keyed hash of the token: the row's key
  std::optional<crypto::Sha256Digest> parent;  // the token that ends this one with itself

  bool IsRoot() const { return std::ranges::find(policies, kRootPolicy) != policies.end(); }
  // The whole seconds that are left to it; 0 if it never ends or has ended.
  std::int64_t SecondsLeft(SystemTime now) const {
    if (!expires || *expires <= now) return 0;
    return std::chrono::floor<std::chrono::seconds>(*expires - now).count();
  }
};

}  // namespace coffer::auth
