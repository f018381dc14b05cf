#pragma once

// API tokens: making the root token, and looking up the token that a request presents. The
// program's wiring owns one TokenStore; the database, the source of random numbers and the clock
// outlive it. Thread-safe. Errors: kPermissionDenied for a token that is not valid; errors of the
// database otherwise.
// Example: `const auto entry = tokens.Lookup(presented);` is the entry of a valid token.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/clock.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/storage/database.h"

namespace coffer::auth {

// The facts about a valid token, without the token itself.
struct TokenEntry {
  std::string accessor;
  std::string display_name;
  std::vector<std::string> policies;
  SystemTime created{};
};

// Keeps API tokens in the database as their HMAC-SHA256 under `lookup_key`, which is derived in the
// PKCS#11 token when the key ring is opened. The few entries also live in an immutable snapshot in
// memory, so that Lookup() needs no SQL. Thread-safe.
class TokenStore {
 public:
  static std::vector<storage::Migration> Schema();
  static Result<std::unique_ptr<TokenStore>> Load(storage::Database& database,
                                                  const SecretBytes& lookup_key, Random& random,
                                                  const Clock& clock);
  ~TokenStore();

  // kPermissionDenied for any token that is not valid.
  Result<std::shared_ptr<const TokenEntry>> Lookup(std::string_view token) const;
  // Finds a token by its accessor; null if there is none.
  std::shared_ptr<const TokenEntry> FindAccessor(std::string_view accessor) const;
  // True if there is a root token.
  bool Initialized() const;
  // Makes `token` the one root token, in place of the former one.
  Status SetRootToken(std::string_view token);

 private:
  struct Impl;
  explicit TokenStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::auth
