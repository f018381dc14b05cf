#pragma once

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

// What a valid token is. Never holds the token itself.
struct TokenEntry {
  std::string accessor;
  std::string display_name;
  std::vector<std::string> policies;
  SystemTime created{};
};

// API tokens, stored as HMAC-SHA256 under the look-up key (derived in the token at unseal, see
// key-custody). Thread-safe; Lookup takes no SQL: the few entries live in an immutable snapshot.
class TokenStore {
 public:
  static std::vector<storage::Migration> Schema();
  static Result<std::unique_ptr<TokenStore>> Load(storage::Database& database,
                                                  const SecretBytes& lookup_key, Random& random,
                                                  const Clock& clock);
  ~TokenStore();

  // kPermissionDenied for any token that is not valid.
  Result<std::shared_ptr<const TokenEntry>> Lookup(std::string_view token) const;
  // The token of this accessor; null where there is none.
  std::shared_ptr<const TokenEntry> FindAccessor(std::string_view accessor) const;
  // Whether there is a root token yet.
  bool Initialized() const;
  // Makes `token` the one root token, in place of the former one.
  Status SetRootToken(std::string_view token);

 private:
  struct Impl;
  explicit TokenStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::auth
