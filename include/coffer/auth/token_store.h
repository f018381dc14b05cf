#pragma once

// The API tokens: making, finding, renewing and ending them. The program's wiring owns one
// TokenStore; the database, the policies, the source of random numbers and the clock outlive it.
// Thread-safe. Errors: kPermissionDenied for a token that is not valid; errors of the database
// otherwise.
// Example: `const auto access = tokens.Lookup(presented);` is a valid token and its rules.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/auth/access_rules.h"
#include "coffer/auth/policy_store.h"
#include "coffer/auth/token_entry.h"
#include "coffer/base/clock.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/scheduler.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/storage/database.h"

namespace coffer::auth {

// A valid token, and what its policies compile to now.
struct Access {
  std::shared_ptr<const TokenEntry> token;
  std::shared_ptr<const AccessRules> rules;
};

// Keeps API tokens in the database as their HMAC-SHA256 under `lookup_key`, which is derived in the
// PKCS#11 token when the key ring is opened. A bounded number of entries is in memory as well, so
// that the look-up of a token in use needs no SQL. A token is valid if it and all its ancestors are
// there and have not ended. Thread-safe.
class TokenStore {
 public:
  static Result<std::unique_ptr<TokenStore>> Load(storage::Database& database,
                                                  const PolicyStore& policies,
                                                  const SecretBytes& lookup_key, Random& random,
                                                  const Clock& clock);
  ~TokenStore();
  // Registers the periodic removal of tokens that have ended.
  void AddJobs(Scheduler& scheduler);

  // kPermissionDenied for any token that is not valid. It takes none of a token's uses.
  Result<Access> Lookup(std::string_view token) const;
  // The same for the token that a request presented: it must also be used from `address`, if it is
  // bound to addresses.
  Result<Access> Authenticate(std::string_view token, std::string_view address) const;
  // Finds a valid token by its accessor; null if there is none.
  Result<std::shared_ptr<const TokenEntry>> FindAccessor(std::string_view accessor) const;
  // The accessors of all tokens that have not ended.
  Result<std::vector<std::string>> Accessors() const;
  // Takes one of the uses of a token; the last one ends it. The use is stored when this returns.
  // kPermissionDenied if there was none left. Nothing happens for a token without a limit.
  Status Use(const TokenEntry& token);

  // Stores a new token, whose text is random unless it is given, and completes its entry with hash,
  // accessor and the time. kInvalid if a token with that text is there; kPermissionDenied if its
  // parent is not valid any more.
  Result<SecretBytes> Create(TokenEntry& entry, std::string_view text = {});
  // Sets a new end. kPermissionDenied if the token is not valid any more.
  Result<std::shared_ptr<const TokenEntry>> Renew(const TokenEntry& token, SystemTime expires);
  // Ends a token and all that descend from it, or leaves its children as orphans. It holds for
  // every request that starts after the return.
  Status Revoke(const TokenEntry& token);
  Status RevokeOrphaning(const TokenEntry& token);
  // Removes the tokens that have ended, with all that descend from them.
  Status Tidy(SystemTime now);

  // True once a root token was made, even if it was revoked later. Reads memory only.
  bool Initialized() const;
  // Makes `token` the one root token that never ends, in place of the former one, which ends with
  // all that descend from it.
  Status SetRootToken(std::string_view token);

 private:
  struct Impl;
  explicit TokenStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::auth
