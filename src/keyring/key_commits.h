#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key.h"
#include "coffer/storage/database.h"
#include "keyring/catalog.h"
#include "keyring/keyring_store.h"
#include "keyring/residents.h"
#include "keyring/row_codec.h"
#include "keyring/token_instance.h"

namespace coffer::keyring {

// A change of one key: a new one, other settings or versions, or its end.
struct Change {
  const store::StoredKey* before = nullptr;  // null: a new key
  std::shared_ptr<Key> after;                // null: the key is deleted
  std::vector<int> new_versions;             // in `after`, MACs still to be made
  // False where `before` failed its check: somebody who changed its rows must not choose the
  // objects that are destroyed in the token.
  bool before_verified = true;

  // True if `after` is another key of the same name.
  bool Replaces() const { return before != nullptr && after && before->key.id != after->id; }
  // True if the change removes this version of `before` for good.
  bool Drops(int number) const { return !after || Replaces() || !after->versions.contains(number); }
  // The versions whose rows are there and have other certificates than in `after`.
  std::vector<const KeyVersion*> NewlyCertified() const;
  // The token objects of the versions that the change removes.
  std::vector<Bytes> GoneResidents() const;
};

// KeyCommits commits every change of a key, in this order: one transaction, which is an anchor
// (coffer/storage/database.h), the token's epoch, which is the anchor's number, the catalog. It
// remembers what is still to be done after a commit. Its functions run on the custodian's thread,
// for which they take a turn, but Run() and ChangeKey(): any thread calls these, and they hand the
// work over.
class KeyCommits {
 public:
  KeyCommits(storage::Database& database, Custodian& custodian, TokenInstance& custodians,
             Catalog& catalog, Residents& residents)
      : database_(database),
        custodian_(custodian),
        instance_(custodians),
        catalog_(catalog),
        residents_(residents) {}

  // Called once, with the token's epoch as StartChecks has found it, and the epoch of a database
  // that has no anchor yet. From then on KeyCommits makes the database's anchors.
  void Open(const CustodianTurn&, std::uint64_t token_epoch, std::uint64_t former_epoch);
  // An anchor of what other rooms have changed, or of nothing.
  Status MakeAnchor(CustodianTurn& turn);

  // Any thread. Finishes what the last commit left to do, then runs `work`, both on the custodian's
  // thread.
  Status Run(const std::function<Status(CustodianTurn&)>& work);
  // Any thread. Loads the key, lets `edit` change a copy and commits it.
  using Edit = std::function<Status(CustodianTurn&, Key&, std::vector<int>& new_versions)>;
  Result<std::shared_ptr<const Key>> ChangeKey(const Id& mount, std::string_view name,
                                               const Edit& edit);

  // Commits all changes or none, with one step of the epoch.
  Status Commit(CustodianTurn& turn, std::span<const Change> changes);
  Status RemoveKeys(CustodianTurn& turn, std::span<const store::StoredKey> keys);

 private:
  // Does what the last commit left to do: reads the anchor again after a COMMIT of unknown outcome,
  // writes the epoch into the token, destroys objects.
  Status CatchUp(CustodianTurn& turn);
  // Makes the MACs of the change's new versions and of its key's row, which is returned.
  Result<Mac> MakeMacs(CustodianTurn& turn, const Change& change) const;
  static Status WriteRows(storage::Transaction& transaction, const Change& change,
                          ByteView key_mac);
  void Publish(const Change& change);
  // Writes the number of the newest anchor to the token.
  Status WriteEpoch(CustodianTurn& turn);

  storage::Database& database_;
  Custodian& custodian_;
  TokenInstance& instance_;
  Catalog& catalog_;
  Residents& residents_;
  // The number of the newest anchor.
  std::uint64_t Epoch() const { return database_.AnchorNumber().value_or(former_epoch_); }

  std::uint64_t token_epoch_ = 0;
  std::uint64_t former_epoch_ = 0;
  // The keys of a COMMIT whose outcome is unknown: they are read again first.
  std::vector<store::MountedName> doubtful_;
};

}  // namespace coffer::keyring
