#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/storage/database.h"
#include "keyring/row_codec.h"

namespace coffer::keyring::store {

// Every SQL statement of the key ring. The functions read and write rows as they are; the caller
// makes and checks their MACs.

// Runs a statement and ignores the number of rows that it changed.
inline Status Execute(storage::Statement& statement) {
  COFFER_TRY(statement.Run());
  return {};
}

std::vector<storage::Migration> Schema();

// The tables that storage keeps sums of (coffer/storage/table.h).
const storage::TableShape& KeysShape();
const storage::TableShape& CounterShape();

// The state row as it was until storage kept the sums; nothing if there is none.
struct FormerState {
  StateRow state;
  Bytes mac;
};
Result<std::optional<FormerState>> ReadFormerState(storage::Database& database);
Status DeleteFormerState(storage::Transaction& transaction);

struct StoredKey {
  Key key;  // with its versions; counters hold what was persisted
  Bytes mac;
};
Result<std::optional<StoredKey>> ReadKey(storage::Database& database, const Id& mount,
                                         std::string_view name);
// One key's part of the sum over all keys, without names or versions.
struct KeyDigest {
  Id key;
  std::int64_t generation = 0;
  Bytes mac;
};
Status ForEachDigest(storage::Database& database,
                     const std::function<void(const KeyDigest&)>& visit);
// Mount and name of every key (of one mount, if given).
struct MountedName {
  Id mount;
  std::string name;
};
Result<KeyDigest> ReadDigest(storage::Database& database, const MountedName& place);
Result<std::vector<MountedName>> AllKeys(storage::Database& database, const Id* mount);
Result<std::vector<std::string>> Names(storage::Database& database, const Id& mount,
                                       std::string_view after, std::int64_t limit);
// Keys with a period whose latest version was made at or before now - period.
Result<std::vector<MountedName>> DueForRotation(storage::Database& database, SystemTime now);

// Inserts or replaces the key's own row.
Status WriteKey(storage::Transaction& transaction, const Key& key, ByteView mac);
Status InsertVersion(storage::Transaction& transaction, const Id& key, KeyType type,
                     const KeyVersion& version);

// Writes the certificates of a version that is there.
Status WriteCertificates(storage::Transaction& transaction, const Id& key,
                         const KeyVersion& version);

// Versions below `version` are destroyed, with their counters.
Status DeleteVersionsBelow(storage::Transaction& transaction, const Id& key, int version);
// Deletes the key, its versions and counters.
Status DeleteKey(storage::Transaction& transaction, const Id& key);

// Sets a version's high-water mark of encryptions.
Status ChargeVersion(storage::Transaction& transaction, const Id& key, int version,
                     std::int64_t mark);
// Raises the version's high-water mark by `block`, not above `limit`; returns {granted, new mark}.
struct Reserved {
  std::int64_t granted = 0;
  std::int64_t mark = 0;
};
Result<Reserved> ReserveEncryptions(storage::Database& database, const Id& key, int version,
                                    std::int64_t block, std::int64_t limit);

// Deletes the MAC of a key that failed its check: the key stays disabled, even if its former rows
// are put back.
Status DisableKey(storage::Transaction& transaction, const Id& key, ByteView mac);
Result<std::int64_t> CountKeys(storage::Reader& reader);
Result<Id> ReadDatabaseId(storage::Reader& reader);
// The database's identity; made once, before there is an anchor.
Result<Id> LoadOrCreateDatabaseId(storage::Database& database, coffer::Random& random);

}  // namespace coffer::keyring::store
