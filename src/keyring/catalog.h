#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token.h"
#include "coffer/storage/database.h"
#include "keyring/key_cache.h"
#include "keyring/keyring_store.h"
#include "keyring/retired_versions.h"

namespace coffer::keyring {

class TokenInstance;

// The catalog finds keys: their snapshots in memory, or their rows, which it reads and checks. It
// changes nothing that is stored; KeyCommits publishes changes here. Any thread, after
// SetDatabaseId().
class Catalog {
 public:
  Catalog(storage::Database& database, const CacheLimits& limits, Logger& logger);

  // Called once, before the first look-up: the identity that the MACs of rows are made with.
  void SetDatabaseId(const Id& database) { database_id_ = database; }
  const Id& DatabaseId() const { return database_id_; }

  // The key's snapshot. If there is none, the rows are read, and checked with the caller's
  // instance. Errors as KeyRing::Find().
  Result<std::shared_ptr<const Key>> Find(TokenInstance& instance, const Id& mount,
                                          std::string_view name);
  Result<std::vector<std::string>> Names(const Id& mount, std::string_view after,
                                         std::int64_t limit) const;

  // Loads a key from storage and checks its MACs; kNotFound, kCorrupt.
  Result<store::StoredKey> Load(Token& token, const Id& mount, std::string_view name) const;
  Status VerifyKey(Token& token, const store::StoredKey& stored) const;
  // As KeyRing's.
  Result<std::set<Bytes>> NamedResidents(Token& token) const;

  // KeyCommits calls these four.
  void Publish(const std::shared_ptr<Key>& key) { cache_.Publish(key); }
  // Drops the key's snapshot: its rows are gone, or must be read again.
  void Drop(const Id& mount, std::string_view name) { cache_.Remove(mount, name); }
  // A version was destroyed: every instance drops its handles before its next use.
  void Retire(const Id& key, int version);
  // The versions retired since `seen`, as RetiredVersions::Since().
  std::optional<std::vector<RetiredVersions::Version>> RetiredSince(std::uint64_t& seen) {
    return retired_.Since(seen);
  }

 private:
  Result<std::optional<store::StoredKey>> ReadVerified(Token& token, const Id& mount,
                                                       std::string_view name) const;
  bool IsNewest(const store::StoredKey& stored) const;

  storage::Database& database_;
  Logger& logger_;
  Id database_id_;
  KeyCache cache_;
  RetiredVersions retired_;
};

}  // namespace coffer::keyring
