// Backups of single keys: rows as they are, wrapped, under a MAC by coffer-meta. They open only
// where the same masters are, and a restored key is a key of its own (docs/adr/0013).

#include <utility>

#include "keyring/key_backup_codec.h"
#include "keyring/key_mechanisms.h"
#include "keyring/key_ring_impl.h"
#include "keyring/wrapped_blob.h"

namespace coffer::keyring {
namespace {

// True if `other` has this version's key.
bool Has(const Key& other, const KeyVersion& version) {
  const auto found = other.versions.find(version.info.version);
  return found != other.versions.end() && found->second.custody == version.custody &&
         version.custody != Custody::kResident && found->second.blob == version.blob &&
         found->second.hmac_blob == version.hmac_blob && found->second.spki == version.spki;
}

// Replacing a key destroys the versions that the backup does not have, so the key must then allow
// its deletion.
Status CheckReplaceable(const Key& present, const Key& restored) {
  if (present.settings.deletion_allowed) return {};
  for (const auto& [number, version] : present.versions) {
    if (Has(restored, version)) continue;
    return Fail(Refusal::kBackupLacksVersion, {.given = number});
  }
  return {};
}

}  // namespace

Result<Bytes> KeyRing::Backup(std::size_t worker, const Id& mount, std::string_view name) {
  COFFER_ASSIGN(const auto key, Find(worker, mount, name));
  for (const auto& [number, version] : key->versions) {
    if (version.custody != Custody::kResident) continue;
    return Fail(Refusal::kBackupOfResident, {.given = number});
  }
  Bytes backup = EncodeKeyBackup(impl_->database_id, *key);
  Impl::Worker& own = impl_->WorkerAt(worker);
  Mac mac{};
  COFFER_TRY(impl_->Attempt(own, [&]() -> Status {
    COFFER_ASSIGN(mac, own.token->MetaMac(backup));
    return {};
  }));
  backup.insert(backup.end(), mac.begin(), mac.end());
  return backup;
}

Result<Key> KeyRing::Impl::OpenBackup(Token& token, ByteView backup) const {
  if (backup.size() < Mac{}.size()) return Fail(Refusal::kBackupDamaged);
  const ByteView encoded = backup.first(backup.size() - Mac{}.size());
  COFFER_ASSIGN(const Mac mac, token.MetaMac(encoded));
  if (!ConstantTimeEqual(mac, backup.last(mac.size()))) {
    const auto from = DatabaseOfBackup(encoded);
    if (from && *from != database_id) return Fail(Refusal::kBackupOfOtherToken);
    return Fail(Refusal::kBackupDamaged);
  }
  COFFER_ASSIGN(Key key, DecodeKeyBackup(encoded));
  COFFER_TRY(CheckOpens(token, key));
  return key;
}

// Every blob must open, which shows that the masters are still there.
Status KeyRing::Impl::CheckOpens(Token& token, const Key& key) {
  const auto opens = [&](const KeyVersion& version, Use use, const std::string& master,
                         ByteView blob) -> Status {
    COFFER_ASSIGN(const bool opened, Opens(token, key.SpecOf(version), use, master, blob));
    if (opened) return {};
    return Fail(Refusal::kBackupMasterMissing, {.given = version.info.version, .name = master});
  };
  for (const auto& [number, version] : key.versions) {
    if (version.custody == Custody::kWrapped) {
      COFFER_TRY(opens(version, MainUse(key.Spec()), version.info.master, version.blob));
    }
    if (!version.hmac_blob.empty()) {
      COFFER_TRY(opens(version, Use::kHmac, version.hmac_master, version.hmac_blob));
    }
  }
  return {};
}

// The number of encryptions since the backup is unknown, so the restored versions must encrypt no
// more: they are charged in full, and the next encryption makes a new version.
void KeyRing::Impl::MakeNew(Key& key) const {
  key.id = Id::Generate(random);
  const bool counted = key.Info().Counted();
  key.settings.rotation_required = counted;
  for (auto& [number, version] : key.versions) {
    version.counter = std::make_shared<EncryptionCounter>();
    if (counted) version.counter->reserved.store(kRefuseAt);
  }
}

KeyRing::Changed KeyRing::Restore(const Id& mount, const std::optional<KeyName>& name,
                                  ByteView backup, bool force) {
  std::shared_ptr<const Key> restored;
  COFFER_TRY(impl_->custodian.Run([&](Token& token) -> Status {
    COFFER_TRY(impl_->CatchUp(token));
    COFFER_ASSIGN(Key opened, impl_->OpenBackup(token, backup));
    auto key = std::make_shared<Key>(std::move(opened));
    key->mount = mount;
    if (name) key->name = name->Text();
    Impl::Change change;
    COFFER_ASSIGN(const auto present, store::ReadKey(impl_->database, mount, key->name));
    if (present) {
      if (!force) return Fail(Refusal::kKeyExists, {.name = key->name});
      Status verified = impl_->VerifyKey(token, *present);
      if (!verified && verified.error().code != Code::kCorrupt) return verified;
      // A key whose rows failed their check is of no use: a backup is what mends it.
      if (verified) COFFER_TRY(CheckReplaceable(present->key, *key));
      change.before = &*present;
      change.before_verified = verified.has_value();
    }
    impl_->MakeNew(*key);
    for (const auto& [number, version] : key->versions) change.new_versions.push_back(number);
    change.after = key;
    COFFER_TRY(impl_->Commit(token, {&change, 1}));
    restored = std::move(key);
    return {};
  }));
  return restored;
}

}  // namespace coffer::keyring
