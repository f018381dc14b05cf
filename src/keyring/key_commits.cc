// Changes of keys, one after another on the custodian's thread: token work, one transaction, the
// token's epoch, the snapshot.

#include "keyring/key_commits.h"

#include <utility>

#include "keyring/resident_store.h"

namespace coffer::keyring {

std::vector<Bytes> Change::GoneResidents() const {
  std::vector<Bytes> gone;
  if (before == nullptr || !before_verified) return gone;
  for (const auto& [number, version] : before->key.versions) {
    if (version.custody == Custody::kResident && Drops(number)) {
      gone.push_back(version.locator);
    }
  }
  return gone;
}

Status KeyCommits::CatchUp(CustodianTurn& turn) {
  // Refresh() reopens an instance that has made many objects. It must do so before the change makes
  // an object in the token, since reopening loses handles.
  COFFER_TRY(instance_.Refresh());
  COFFER_TRY(database_.Reread());
  // The other keys keep their snapshots, and with them what is left of their counted blocks: on a
  // full disk no new block can be had.
  for (const store::MountedName& place : doubtful_) {
    catalog_.Drop(place.mount, place.name);
  }
  doubtful_.clear();
  if (token_epoch_ != Epoch()) COFFER_TRY(WriteEpoch(turn));
  residents_.DestroyMarked(turn);
  return {};
}

std::vector<const KeyVersion*> Change::NewlyCertified() const {
  std::vector<const KeyVersion*> found;
  if (before == nullptr || !after || Replaces()) return found;
  for (const auto& [number, version] : after->versions) {
    const auto old = before->key.versions.find(number);
    if (old != before->key.versions.end() &&
        old->second.certificate_chain != version.certificate_chain) {
      found.push_back(&version);
    }
  }
  return found;
}

namespace {

// The change as the sums over keys have it.
void CountChange(storage::Transaction& transaction, const Change& change, ByteView key_mac) {
  const auto& shape = store::KeysShape();
  const bool same = change.before != nullptr && change.after && !change.Replaces();
  if (change.before != nullptr && !same) {
    const Key& gone = change.before->key;
    transaction.CountRow(shape, {.key = gone.id.View(),
                                 .mac_before = change.before->mac,
                                 .mac_after = {},
                                 .newest = gone.generation + 1});
  }
  if (!change.after) return;
  transaction.CountRow(shape, {.key = change.after->id.View(),
                               .mac_before = same ? ByteView(change.before->mac) : ByteView(),
                               .mac_after = key_mac,
                               .newest = change.after->generation});
}

}  // namespace

Status KeyCommits::WriteRows(storage::Transaction& transaction, const Change& change,
                             ByteView key_mac) {
  CountChange(transaction, change, key_mac);
  if (change.after) {
    const Key& key = *change.after;
    if (change.Replaces()) {
      const Key& gone = change.before->key;
      COFFER_TRY(store::DeleteKey(transaction, gone.id));
    }
    COFFER_TRY(store::WriteKey(transaction, key, key_mac));
    for (const int version : change.new_versions) {
      const KeyVersion& added = key.versions.at(version);
      COFFER_TRY(store::InsertVersion(transaction, key.id, key.type, added));
      if (const std::int64_t charged = added.counter->reserved.load(); charged > 0) {
        COFFER_TRY(store::ChargeVersion(transaction, key.id, version, charged));
      }
      if (added.custody == Custody::kResident) {
        COFFER_TRY(
            store::SetResidentState(transaction, added.locator, store::ResidentState::kLive));
      }
    }
    for (const KeyVersion* const certified : change.NewlyCertified()) {
      COFFER_TRY(store::WriteCertificates(transaction, key.id, *certified));
    }
    COFFER_TRY(store::DeleteVersionsBelow(transaction, key.id, key.settings.min_available_version));
  } else {
    const Id& gone = change.before->key.id;
    COFFER_TRY(store::DeleteKey(transaction, gone));
  }
  for (const Bytes& locator : change.GoneResidents()) {
    COFFER_TRY(store::SetResidentState(transaction, locator, store::ResidentState::kDestroying));
  }
  return {};
}

void KeyCommits::Publish(const Change& change) {
  const Key& key = change.after ? *change.after : change.before->key;
  if (change.before != nullptr) {
    const Key& before = change.before->key;
    for (const auto& [number, version] : before.versions) {
      if (!change.Drops(number)) continue;
      catalog_.Retire(before.id, number);
    }
  }
  if (change.after) {
    catalog_.Publish(change.after);
  } else {
    catalog_.Drop(key.mount, key.name);
  }
}

Result<Mac> KeyCommits::MakeMacs(CustodianTurn& turn, const Change& change) const {
  if (!change.after) return Mac{};
  Key& key = *change.after;
  if (change.before != nullptr) key.generation = change.before->key.generation + 1;
  for (const int number : change.new_versions) {
    KeyVersion& version = key.versions.at(number);
    COFFER_ASSIGN(const Mac mac, turn->MetaMac(EncodeVersionRow(key.id, key.Spec(), version)));
    version.mac.assign(mac.begin(), mac.end());
  }
  return turn->MetaMac(EncodeKeyRow(catalog_.DatabaseId(), key));
}

Status KeyCommits::Commit(CustodianTurn& turn, std::span<const Change> changes) {
  std::vector<Mac> key_macs;
  for (const Change& change : changes) {
    COFFER_ASSIGN(key_macs.emplace_back(), MakeMacs(turn, change));
  }
  {
    COFFER_ASSIGN(storage::Transaction transaction, database_.Begin());
    for (std::size_t i = 0; i < changes.size(); ++i) {
      COFFER_TRY(WriteRows(transaction, changes[i], key_macs[i]));
    }
    transaction.Anchor();
    if (const Status committed = transaction.Commit(); !committed) {
      for (const Change& change : changes) {
        const Key& key = change.after ? *change.after : change.before->key;
        doubtful_.push_back({key.mount, key.name});
      }
      return Fail(committed.error());
    }
  }
  // The epoch is written before the snapshots change: once a new version encrypts, an older
  // database must no longer pass for the latest. If the epoch cannot be written, the rows are
  // committed all the same, the snapshots follow them, and CatchUp() writes the epoch later.
  const Status told = WriteEpoch(turn);
  for (const Change& change : changes) {
    Publish(change);
    residents_.MarkForDestruction(turn, change.GoneResidents());
  }
  COFFER_TRY(told);
  residents_.DestroyMarked(turn);
  return {};
}

Status KeyCommits::WriteEpoch(CustodianTurn& turn) {
  const std::uint64_t number = Epoch();
  COFFER_TRY(turn->WriteEpoch({.database = catalog_.DatabaseId(), .value = number}));
  token_epoch_ = number;
  database_.AnchorWritten();
  return {};
}

void KeyCommits::Open(const CustodianTurn&, std::uint64_t token_epoch, std::uint64_t former_epoch) {
  token_epoch_ = token_epoch;
  former_epoch_ = former_epoch;
  database_.SetAnchor([this](std::uint64_t change) {
    return custodian_.Run([this, change](CustodianTurn& turn) -> Status {
      if (database_.Anchored(change)) return {};  // by one that was made meanwhile
      return MakeAnchor(turn);
    });
  });
}

Status KeyCommits::MakeAnchor(CustodianTurn& turn) {
  // The token first catches up with a change whose epoch it missed, so that the database is never
  // two ahead, however often a start is cut off here.
  COFFER_TRY(CatchUp(turn));
  COFFER_ASSIGN(storage::Transaction transaction, database_.Begin());
  // The first anchor takes the place of the state row of a former database.
  COFFER_TRY(store::DeleteFormerState(transaction));
  transaction.Anchor(Epoch() + 1);
  COFFER_TRY(transaction.Commit());
  return WriteEpoch(turn);
}

Status KeyCommits::Run(const std::function<Status(CustodianTurn&)>& work) {
  return custodian_.Run([&](CustodianTurn& turn) -> Status {
    COFFER_TRY(CatchUp(turn));
    return work(turn);
  });
}

Result<std::shared_ptr<const Key>> KeyCommits::ChangeKey(const Id& mount, std::string_view name,
                                                         const Edit& edit) {
  std::shared_ptr<const Key> changed;
  COFFER_TRY(Run([&](CustodianTurn& turn) -> Status {
    COFFER_ASSIGN(store::StoredKey stored, catalog_.Load(turn, mount, name));
    auto after = std::make_shared<Key>(stored.key);
    Change change;
    change.before = &stored;
    COFFER_TRY(edit(turn, *after, change.new_versions));
    change.after = after;
    COFFER_TRY(Commit(turn, {&change, 1}));
    changed = std::move(after);
    return {};
  }));
  return changed;
}

Status KeyCommits::RemoveKeys(CustodianTurn& turn, std::span<const store::StoredKey> keys) {
  std::vector<Change> changes;
  for (const store::StoredKey& stored : keys) {
    Change& change = changes.emplace_back();
    change.before = &stored;
    if (Status verified = catalog_.VerifyKey(turn, stored); !verified) {
      if (verified.error().code != Code::kCorrupt) return verified;
      change.before_verified = false;
    }
  }
  return Commit(turn, changes);
}

}  // namespace coffer::keyring
