#pragma once

// The barrier seals small records of other rooms: AES-256-GCM under a key of the token, one key for
// each owner. A sealed record opens only where its Place says the same owner, table, row and schema
// as when it was sealed. How to use it: give each record's table, the bytes of its key columns and
// the version of the sealed form as the Place; call Seal() before a transaction is begun, and store
// what it returns in a column of a storage::Table<Row>, whose MAC covers it; call Open() with what
// was read. An engine's mount is an owner (Owner::OfMount), whose end calls Destroy(); a room is
// one (Owner::OfRoom). Seal() and Open() take one operation in the token each and run on the lane's
// thread; a loaded key needs no SQL but one commit for each 65,536 records sealed. Changes run on
// the custodian's thread: they wait for it if another thread calls. Errors: kTokenLost and
// kTokenFailed for the token, kUnavailable for a full disk, kCorrupt for a record that does not
// open and for a key whose rows failed their check. Example:
//   const Place place{.table = "kv_versions", .row = row_key, .schema = 1};
//   COFFER_ASSIGN(row.sealed, barrier.Seal(lane, owner, place, plaintext));
//   COFFER_ASSIGN(const SecretBytes plaintext, barrier.Open(lane, owner, place, row.sealed));

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/clock.h"
#include "coffer/base/ids.h"
#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/lane.h"

namespace coffer::barrier {

// The owner of records and of the key that seals them. A value.
class Owner {
 public:
  // A room of the program: "tokens". The name is one of ours: letters, digits and '-'.
  static Owner OfRoom(std::string_view room) { return Owner("room-" + std::string(room)); }
  // A mount, by its random id: a move to another path changes nothing.
  static Owner OfMount(const Id& mount) { return Owner("mount-" + mount.ToUuid()); }
  const std::string& Name() const { return name_; }

 private:
  explicit Owner(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

// The place that a sealed record belongs to. The views need to live during the call only.
struct Place {
  std::string_view table;  // "kv_versions"
  ByteView row;            // the row's key columns in a form of the caller's that no two rows share
  int schema = 1;          // of what is sealed: a record of another schema does not open
};

// The bytes that sealing adds: form, version of the key, nonce and tag.
inline constexpr std::size_t kSealedOverhead = 1 + 4 + 12 + 16;

// An owner's key as an operator sees it.
struct OwnerKey {
  std::string owner;
  bool damaged = false;        // its rows failed their check, and all else here is empty
  keyring::Custody custody{};  // of the newest version, which seals
  int version = 0;
  std::size_t resident_versions = 0;  // of all of them
  SystemTime created{};               // the newest version
  std::int64_t sealed = 0;            // records that this version may have sealed, and no more
};

// The barrier of a server, over its key ring. Any thread may call.
class Barrier {
 public:
  Barrier(keyring::KeyRing& keys, Logger& logger) : keys_(keys), logger_(logger) {}
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Rotates the keys that a restore or an accepted rollback has marked, so that every key that can
  // be used seals. Call it before the first Seal(). One that cannot be rotated is logged; the next
  // Seal() on the custodian's lane tries again.
  Status Start(keyring::Custodian& custodian);

  // Makes the owner's key where there is none.
  Status Prepare(const Owner& owner);
  // True if Seal() can be called on a worker's lane: the owner has a key, and it may seal.
  Result<bool> Ready(keyring::Lane& lane, const Owner& owner);

  // Seals the record under the newest version of the owner's key. On the custodian's lane it first
  // makes the key, or rotates one that must be rotated. On a worker's lane it is kUnavailable where
  // Ready() is false: the caller goes on with the custodian.
  Result<Bytes> Seal(keyring::Lane& lane, const Owner& owner, const Place& place,
                     ByteView plaintext);
  // kCorrupt where the record was changed, belongs to another place, or was sealed by a key that is
  // gone. An older record of the same place opens: the MAC of its row shows that it was put back.
  Result<SecretBytes> Open(keyring::Lane& lane, const Owner& owner, const Place& place,
                           ByteView sealed);

  // A new version of the key seals from now on. The former ones open what they have sealed.
  Status Rotate(const Owner& owner);
  // The same for every owner; the first error, after all were tried.
  Status RotateAll();
  // Destroys the owner's key with all its versions, success where there is none. What it has sealed
  // opens never again: where the version was resident, not even with a backup of the database.
  // kCorrupt where the key's rows failed their check: they are gone, but its token objects stay.
  Status Destroy(const Owner& owner);

  // The keys of all owners, in the order of their names.
  Result<std::vector<OwnerKey>> List(keyring::Lane& lane);
  // Nothing where the owner has no key yet.
  Result<std::optional<OwnerKey>> Find(keyring::Lane& lane, const Owner& owner);

 private:
  using FoundKey = Result<std::shared_ptr<const keyring::Key>>;
  FoundKey KeyOf(keyring::Lane& lane, const Owner& owner);
  FoundKey KeyToSeal(keyring::Lane& lane, const Owner& owner);
  FoundKey Make(const Owner& owner);
  FoundKey Rotate(std::string_view owner, std::string_view reason);
  Status RotateMarked(keyring::Lane& lane);

  keyring::KeyRing& keys_;
  Logger& logger_;
};

}  // namespace coffer::barrier
