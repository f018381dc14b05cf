#include "keyring/archive.h"

#include <string>
#include <utility>

#include "keyring/encryption_counts.h"
#include "keyring/key_backup_codec.h"
#include "keyring/key_mechanisms.h"
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

// Every blob must open, which shows that the masters are still there.
Status CheckOpens(Token& token, const Key& key) {
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

}  // namespace

Result<Bytes> Archive::Backup(Lane& lane, const Id& mount, std::string_view name) {
  COFFER_ASSIGN(const auto key, catalog_.Find(lane.GetInstance(), mount, name));
  for (const auto& [number, version] : key->versions) {
    if (version.custody != Custody::kResident) continue;
    return Fail(Refusal::kBackupOfResident, {.given = number});
  }
  Bytes backup = EncodeKeyBackup(catalog_.DatabaseId(), *key);
  COFFER_ASSIGN(const Mac mac, lane.MetaMac(backup));
  backup.insert(backup.end(), mac.begin(), mac.end());
  return backup;
}

Result<Key> Archive::Open(Token& token, ByteView backup) const {
  if (backup.size() < Mac{}.size()) return Fail(Refusal::kBackupDamaged);
  const ByteView encoded = backup.first(backup.size() - Mac{}.size());
  COFFER_ASSIGN(const Mac mac, token.MetaMac(encoded));
  if (!ConstantTimeEqual(mac, backup.last(mac.size()))) {
    const auto from = DatabaseOfBackup(encoded);
    if (from && *from != catalog_.DatabaseId()) return Fail(Refusal::kBackupOfOtherToken);
    return Fail(Refusal::kBackupDamaged);
  }
  COFFER_ASSIGN(Key key, DecodeKeyBackup(encoded));
  COFFER_TRY(CheckOpens(token, key));
  return key;
}

// The number of encryptions since the backup is unknown, so the restored versions must encrypt no
// more: they are charged in full, and the next encryption makes a new version.
void Archive::MakeNew(Key& key) const {
  key.id = Id::Generate(random_);
  const bool counted = key.Info().Counted();
  key.settings.rotation_required = counted;
  for (auto& [number, version] : key.versions) {
    version.counter = std::make_shared<EncryptionCounter>();
    if (counted) version.counter->reserved.store(kRefuseAt);
  }
}

Result<std::shared_ptr<const Key>> Archive::Restore(const Id& mount,
                                                    const std::optional<KeyName>& name,
                                                    ByteView backup, bool force) {
  std::shared_ptr<const Key> restored;
  COFFER_TRY(commits_.Run([&](CustodianTurn& turn) -> Status {
    COFFER_ASSIGN(Key opened, Open(turn, backup));
    auto key = std::make_shared<Key>(std::move(opened));
    key->mount = mount;
    if (name) key->name = name->Text();
    Change change;
    COFFER_ASSIGN(const auto present, store::ReadKey(database_, mount, key->name));
    if (present) {
      if (!force) return Fail(Refusal::kKeyExists, {.name = key->name});
      Status verified = catalog_.VerifyKey(turn, *present);
      if (!verified && verified.error().code != Code::kCorrupt) return verified;
      // A key whose rows failed their check is of no use: a backup is what mends it.
      if (verified) COFFER_TRY(CheckReplaceable(present->key, *key));
      change.before = &*present;
      change.before_verified = verified.has_value();
    }
    MakeNew(*key);
    for (const auto& [number, version] : key->versions) change.new_versions.push_back(number);
    change.after = key;
    COFFER_TRY(commits_.Commit(turn, {&change, 1}));
    restored = std::move(key);
    return {};
  }));
  return restored;
}

}  // namespace coffer::keyring
