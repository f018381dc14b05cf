#include "keyring/version_maker.h"

#include <memory>
#include <utility>

namespace coffer::keyring {
namespace {

constexpr int kMaxVersions = 1'000'000;

// True if the token would have to hold one object more, and cannot.
bool LacksRoom(const Error& error) {
  return error.refusal == Refusal::kResidentLimit || error.code == Code::kTokenRefused;
}

}  // namespace

Result<NewVersion> VersionMaker::MakeResident(CustodianTurn& turn, const Key& key, int number) {
  COFFER_ASSIGN(const ResidentPlace place, residents_.Reserve(turn, key.id, number));
  auto made = turn->Generate(key.Spec(), place);
  // CKR_DEVICE_MEMORY is kUnavailable.
  if (!made && key.resident && made.error().code == Code::kUnavailable) {
    made = Fail(Code::kTokenRefused, made.error().message, made.error().cause);
  }
  if (!made && key.resident && LacksRoom(made.error())) {
    COFFER_TRY(residents_.Forget(turn, place.locator));
  }
  return made;
}

Result<KeyVersion> VersionMaker::Generate(CustodianTurn& turn, const Key& key, int number,
                                          const Actor& actor) {
  KeySpec spec = key.Spec();
  COFFER_ASSIGN(const Custody custody, turn->CustodyOf(spec));
  if (custody == Custody::kResident) {
    auto made = MakeResident(turn, key, number);
    if (made) return From(std::move(*made), number, actor);
    if (!key.resident || !LacksRoom(made.error())) return Fail(made.error());
    spec.resident = false;
  }
  COFFER_ASSIGN(NewVersion made, turn->Generate(spec, {}));
  return From(std::move(made), number, actor);
}

Result<KeyVersion> VersionMaker::From(NewVersion made, int number, const Actor& actor) const {
  KeyVersion version;
  version.info = {number, clock_.Now(), actor.name, actor.reason, made.master};
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

Status VersionMaker::Rotate(CustodianTurn& turn, Key& key, std::vector<int>& new_versions,
                            const Actor& actor) {
  if (key.settings.soft_deleted) return Fail(Refusal::kKeySoftDeleted);
  if (key.latest_version >= kMaxVersions) return Fail(Refusal::kTooManyVersions);
  if (key.settings.imported && !key.settings.allow_imported_rotation) {
    return Fail(Refusal::kImportedKeyNotRotatable, {.name = key.name});
  }
  const int number = key.latest_version + 1;
  COFFER_ASSIGN(KeyVersion version, Generate(turn, key, number, actor));
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

}  // namespace coffer::keyring
