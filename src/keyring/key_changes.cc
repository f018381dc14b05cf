// Changes of keys, one after another on the custodian's thread: token work, one transaction, the
// token's epoch, the snapshot.

#include <algorithm>
#include <limits>
#include <utility>

#include "keyring/key_config.h"
#include "keyring/key_ring_impl.h"

namespace coffer::keyring {
namespace {

constexpr int kMaxVersions = 1'000'000;

}  // namespace

Status KeyRing::Impl::CatchUp(Token& token) {
  // Refresh() reopens an instance that has made many objects. It must do so before the change makes
  // an object in the token, since reopening loses handles.
  COFFER_TRY(Refresh(custodian_worker));
  if (!doubtful.empty()) {
    COFFER_ASSIGN(const auto stored, store::ReadState(database));
    if (!stored) return Fail(Code::kCorrupt, "the database lost its state row");
    COFFER_ASSIGN(const Mac mac, token.MetaMac(EncodeStateRow(stored->state)));
    if (!ConstantTimeEqual(mac, stored->mac)) {
      return Fail(Code::kCorrupt, "the database's state row failed its check");
    }
    state = stored->state;
    // The other keys keep their snapshots, and with them what is left of their counted blocks: on a
    // full disk no new block can be had.
    for (const store::KeyPlace& place : doubtful) {
      cache.Remove(place.mount, place.name);
    }
    doubtful.clear();
  }
  if (token_epoch != state.epoch) COFFER_TRY(TellEpoch(token));
  DestroyDoomed(token);
  return {};
}

std::vector<const KeyVersion*> KeyRing::Impl::Change::NewlyCertified() const {
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

Status KeyRing::Impl::WriteRows(storage::Transaction& transaction, const Change& change,
                                ByteView key_mac) {
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
  for (const Bytes& locator : GoneResidents(change)) {
    COFFER_TRY(store::SetResidentState(transaction, locator, store::ResidentState::kDestroying));
  }
  return {};
}

void KeyRing::Impl::Publish(const Change& change) {
  const Key& key = change.after ? *change.after : change.before->key;
  if (change.before != nullptr) {
    const Key& before = change.before->key;
    for (const auto& [number, version] : before.versions) {
      if (!change.Drops(number)) continue;
      retired.Add({before.id, number});
      cache.RemoveCounter(before.id, number);
    }
  }
  if (change.after) {
    cache.Publish(change.after);
  } else {
    cache.Remove(key.mount, key.name);
  }
}

Result<Mac> KeyRing::Impl::Account(Token& token, const Change& change, StateRow& next) {
  if (change.before != nullptr) {
    SubtractFrom(next.sum, KeyContribution(change.before->key.id, change.before->key.generation,
                                           change.before->mac));
    --next.keys;
  }
  Mac key_mac{};
  if (change.after) {
    Key& key = *change.after;
    if (change.before != nullptr) key.generation = change.before->key.generation + 1;
    for (const int number : change.new_versions) {
      KeyVersion& version = key.versions.at(number);
      COFFER_ASSIGN(const Mac mac, token.MetaMac(EncodeVersionRow(key.id, key.Spec(), version)));
      version.mac.assign(mac.begin(), mac.end());
    }
    COFFER_ASSIGN(key_mac, token.MetaMac(EncodeKeyRow(state.database, key)));
    AddTo(next.sum, KeyContribution(key.id, key.generation, key_mac));
    ++next.keys;
  }
  return key_mac;
}

Status KeyRing::Impl::Commit(Token& token, std::span<const Change> changes) {
  StateRow next = state;
  ++next.epoch;
  std::vector<Mac> key_macs;
  for (const Change& change : changes) {
    COFFER_ASSIGN(key_macs.emplace_back(), Account(token, change, next));
  }
  COFFER_ASSIGN(const Mac state_mac, token.MetaMac(EncodeStateRow(next)));
  {
    COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
    for (std::size_t i = 0; i < changes.size(); ++i) {
      COFFER_TRY(WriteRows(transaction, changes[i], key_macs[i]));
    }
    COFFER_TRY(store::WriteState(transaction, next, state_mac));
    if (const Status committed = transaction.Commit(); !committed) {
      for (const Change& change : changes) {
        const Key& key = change.after ? *change.after : change.before->key;
        doubtful.push_back({key.mount, key.name});
      }
      return Fail(committed.error());
    }
  }
  state = next;
  // The token first: what a new version has encrypted must not be lost to a database that is put
  // back and still passes for the latest. Where the token cannot be told, the rows are committed
  // nevertheless, and snapshots follow the rows; CatchUp() tells it.
  const Status told = TellEpoch(token);
  for (const Change& change : changes) {
    Publish(change);
    for (Bytes& locator : GoneResidents(change)) doomed.push_back(std::move(locator));
  }
  COFFER_TRY(told);
  DestroyDoomed(token);
  return {};
}

Status KeyRing::Impl::TellEpoch(Token& token) {
  COFFER_TRY(token.WriteEpoch({.database = state.database, .value = state.epoch}));
  token_epoch = state.epoch;
  return {};
}

Result<KeyVersion> KeyRing::Impl::NewVersionOf(Token& token, const Key& key, int number,
                                               const Actor& actor) {
  ResidentPlace place;
  COFFER_ASSIGN(const Custody custody, token.CustodyOf(key.Spec()));
  if (custody == Custody::kResident) {
    COFFER_ASSIGN(place, ReserveResident(key.id, number));
  }
  COFFER_ASSIGN(NewVersion made, token.Generate(key.Spec(), place));
  return VersionFrom(std::move(made), number, actor);
}

Result<KeyVersion> KeyRing::Impl::VersionFrom(NewVersion made, int number,
                                              const Actor& actor) const {
  KeyVersion version;
  version.info = {number, clock.Now(), actor.name, actor.reason, made.master};
  version.custody = made.custody;
  version.kdf = made.kdf;
  version.blob = std::move(made.blob);
  version.hmac_blob = std::move(made.hmac_blob);
  version.hmac_master = std::move(made.hmac_master);
  version.spki = std::move(made.spki);
  version.locator = std::move(made.locator);
  version.imported_through = made.imported_through;
  version.counter = std::make_shared<EncryptionCounter>();
  if (!version.spki.empty()) {
    COFFER_ASSIGN(version.public_key, crypto::PublicKey::FromSpki(version.spki));
  }
  return version;
}

KeyRing::Changed KeyRing::Impl::ChangeKey(const Id& mount, std::string_view name,
                                          const Edit& edit) {
  std::shared_ptr<const Key> changed;
  COFFER_TRY(custodian.Run([&](Token& token) -> Status {
    COFFER_TRY(CatchUp(token));
    COFFER_ASSIGN(store::StoredKey stored, Load(token, mount, name));
    auto after = std::make_shared<Key>(stored.key);
    Change change;
    change.before = &stored;
    COFFER_TRY(edit(token, *after, change.new_versions));
    change.after = after;
    COFFER_TRY(Commit(token, {&change, 1}));
    changed = std::move(after);
    return {};
  }));
  return changed;
}

Status KeyRing::Impl::RotateEdit(Token& token, Key& key, std::vector<int>& new_versions,
                                 const Actor& actor) {
  if (key.settings.soft_deleted) return Fail(Refusal::kKeySoftDeleted);
  if (key.latest_version >= kMaxVersions) return Fail(Refusal::kTooManyVersions);
  if (key.settings.imported && !key.settings.allow_imported_rotation) {
    return Fail(Refusal::kImportedKeyNotRotatable, {.name = key.name});
  }
  const int number = key.latest_version + 1;
  COFFER_ASSIGN(KeyVersion version, NewVersionOf(token, key, number, actor));
  key.versions.insert_or_assign(number, std::move(version));
  key.latest_version = number;
  // After an accepted rollback the counts of the older versions are not to be trusted: they encrypt
  // no more.
  if (key.settings.rotation_required) key.settings.min_encryption_version = number;
  key.settings.rotation_required = false;
  key.settings.imported = false;
  new_versions.push_back(number);
  return {};
}

Result<KeyRing::Created> KeyRing::Create(const Id& mount, const KeyName& name,
                                         const CreateOptions& options, const Actor& actor) {
  COFFER_TRY(CheckNewKey(options));
  Created created;
  COFFER_TRY(impl_->custodian.Run([&](Token& token) -> Status {
    COFFER_TRY(impl_->CatchUp(token));
    auto existing = impl_->Load(token, mount, name.Text());
    if (existing) {
      created = {std::make_shared<const Key>(std::move(existing->key)), true};
      return {};
    }
    if (existing.error().code != Code::kNotFound) return Fail(std::move(existing).error());
    auto key = std::make_shared<Key>();
    key->id = Id::Generate(impl_->random);
    key->mount = mount;
    key->name = name.Text();
    key->type = options.type;
    key->derived = options.derived;
    key->convergent = options.convergent;
    key->exportable = options.exportable;
    key->hmac_octets = static_cast<int>(options.hmac_octets.value_or(kHmacOctets));
    key->created = impl_->clock.Now();
    key->settings.allow_plaintext_backup = options.allow_plaintext_backup;
    key->settings.auto_rotate_period_seconds = options.auto_rotate_period_seconds;
    COFFER_ASSIGN(KeyVersion version, impl_->NewVersionOf(token, *key, 1, actor));
    key->versions.emplace(1, std::move(version));
    Impl::Change change;
    change.new_versions = {1};
    change.after = key;
    COFFER_TRY(impl_->Commit(token, {&change, 1}));
    created = {std::move(key), false};
    return {};
  }));
  return created;
}

KeyRing::Changed KeyRing::Rotate(const Id& mount, std::string_view name, const Actor& actor) {
  return impl_->ChangeKey(mount, name, [&](Token& token, Key& key, std::vector<int>& new_versions) {
    return impl_->RotateEdit(token, key, new_versions, actor);
  });
}

KeyRing::Changed KeyRing::Configure(const Id& mount, std::string_view name,
                                    const ConfigChange& change) {
  return impl_->ChangeKey(mount, name, [&](Token&, Key& key, std::vector<int>&) -> Status {
    return ApplyConfig(key, change);
  });
}

KeyRing::Changed KeyRing::Trim(const Id& mount, std::string_view name,
                               std::int64_t min_available_version) {
  return impl_->ChangeKey(mount, name, [&](Token&, Key& key, std::vector<int>&) -> Status {
    COFFER_TRY(CheckTrim(key, min_available_version));
    const int first = static_cast<int>(min_available_version);
    key.settings.min_available_version = first;
    key.versions.erase(key.versions.begin(), key.versions.lower_bound(first));
    return {};
  });
}

KeyRing::Changed KeyRing::SetSoftDeleted(const Id& mount, std::string_view name, bool deleted) {
  return impl_->ChangeKey(mount, name, [&](Token&, Key& key, std::vector<int>&) -> Status {
    key.settings.soft_deleted = deleted;
    return {};
  });
}

Status KeyRing::Impl::RemoveKeys(Token& token, std::span<const store::StoredKey> keys) {
  std::vector<Change> changes;
  for (const store::StoredKey& stored : keys) {
    Change& change = changes.emplace_back();
    change.before = &stored;
    if (Status verified = VerifyKey(token, stored); !verified) {
      if (verified.error().code != Code::kCorrupt) return verified;
      change.before_verified = false;
    }
  }
  return Commit(token, changes);
}

Status KeyRing::Delete(const Id& mount, std::string_view name) {
  return impl_->custodian.Run([&](Token& token) -> Status {
    COFFER_TRY(impl_->CatchUp(token));
    COFFER_ASSIGN(const store::StoredKey stored, impl_->Load(token, mount, name));
    if (!stored.key.settings.deletion_allowed) {
      return Fail(Refusal::kDeletionNotAllowed);
    }
    return impl_->RemoveKeys(token, {&stored, 1});
  });
}

Status KeyRing::DeleteMount(const Id& mount) {
  // Each commit syncs the database and the token's files, so many keys go with one; but not all, as
  // other changes and the probe must have their turn in between.
  constexpr std::size_t kKeysAtOnce = 256;
  COFFER_ASSIGN(const auto places, store::AllKeys(impl_->database, &mount));
  for (std::size_t begin = 0; begin < places.size(); begin += kKeysAtOnce) {
    const auto some =
        std::span(places).subspan(begin, std::min(kKeysAtOnce, places.size() - begin));
    COFFER_TRY(impl_->custodian.Run([&](Token& token) -> Status {
      COFFER_TRY(impl_->CatchUp(token));
      std::vector<store::StoredKey> keys;
      for (const store::KeyPlace& place : some) {
        COFFER_ASSIGN(auto stored, store::ReadKey(impl_->database, mount, place.name));
        if (stored) keys.push_back(std::move(*stored));
      }
      return keys.empty() ? Status{} : impl_->RemoveKeys(token, keys);
    }));
  }
  return {};
}

}  // namespace coffer::keyring
