#include "keyring/key_backup_codec.h"

#include <utility>

#include "keyring/field_codec.h"

namespace coffer::keyring {
namespace {

constexpr std::string_view kSchema = "coffer-key-backup-2";
constexpr std::int64_t kMaxNumber = 2'000'000'000;

void PutSettings(const KeySettings& settings, FieldEncoder& out) {
  out.Put(std::int64_t{settings.min_decryption_version})
      .Put(std::int64_t{settings.min_encryption_version})
      .Put(std::int64_t{settings.min_available_version})
      .Put(std::int64_t{settings.deletion_allowed})
      .Put(std::int64_t{settings.allow_plaintext_backup})
      .Put(std::int64_t{settings.soft_deleted})
      .Put(settings.auto_rotate_period_seconds)
      .Put(std::int64_t{settings.imported})
      .Put(std::int64_t{settings.allow_imported_rotation});
}

KeySettings ReadSettings(FieldReader& in) {
  KeySettings settings;
  settings.min_decryption_version = static_cast<int>(in.IntIn(0, kMaxNumber));
  settings.min_encryption_version = static_cast<int>(in.IntIn(0, kMaxNumber));
  settings.min_available_version = static_cast<int>(in.IntIn(0, kMaxNumber));
  settings.deletion_allowed = in.Flag();
  settings.allow_plaintext_backup = in.Flag();
  settings.soft_deleted = in.Flag();
  settings.auto_rotate_period_seconds = in.Int();
  settings.imported = in.Flag();
  settings.allow_imported_rotation = in.Flag();
  return settings;
}

void PutVersion(const KeyVersion& version, FieldEncoder& out) {
  out.Put(std::int64_t{version.info.version})
      .Put(static_cast<std::int64_t>(version.custody))
      .Put(static_cast<std::int64_t>(version.kdf))
      .Put(version.info.master)
      .Put(UnixNanoseconds(version.info.created))
      .Put(version.info.created_by)
      .Put(version.info.reason)
      .Put(ByteView(version.spki))
      .Put(ByteView(version.blob))
      .Put(version.hmac_master)
      .Put(ByteView(version.hmac_blob))
      .Put(static_cast<std::int64_t>(version.imported_through))
      .Put(std::string_view(version.certificate_chain));
}

KeyVersion ReadVersion(FieldReader& in) {
  KeyVersion version;
  version.info.version = static_cast<int>(in.IntIn(1, kMaxNumber));
  version.custody = static_cast<Custody>(in.IntIn(1, 3));
  version.kdf = static_cast<Kdf>(in.IntIn(0, static_cast<std::int64_t>(Kdf::kHkdfSha256)));
  version.info.master = in.Text();
  version.info.created = FromUnixNanoseconds(in.Int());
  version.info.created_by = in.Text();
  version.info.reason = in.Text();
  version.spki = in.Copy();
  version.blob = in.Copy();
  version.hmac_master = in.Text();
  version.hmac_blob = in.Copy();
  version.imported_through = static_cast<ImportedThrough>(
      in.IntIn(0, static_cast<std::int64_t>(ImportedThrough::kProcess)));
  version.certificate_chain = in.Text();
  return version;
}

}  // namespace

Bytes EncodeKeyBackup(const Id& database, const Key& key) {
  FieldEncoder out(kSchema);
  out.Put(database.View())
      .Put(key.name)
      .Put(static_cast<std::int64_t>(key.type))
      .Put(UnixNanoseconds(key.created))
      .Put(std::int64_t{key.latest_version})
      .Put(std::int64_t{key.derived})
      .Put(std::int64_t{key.convergent})
      .Put(std::int64_t{key.exportable})
      .Put(std::int64_t{key.hmac_octets});
  PutSettings(key.settings, out);
  out.Put(static_cast<std::int64_t>(key.versions.size()));
  for (const auto& [number, version] : key.versions) PutVersion(version, out);
  return out.Take();
}

std::optional<Id> DatabaseOfBackup(ByteView encoded) {
  FieldReader in(encoded);
  if (in.Text() != kSchema) return std::nullopt;
  return Id::FromBytes(in.Octets());
}

Result<Key> DecodeKeyBackup(ByteView encoded) {
  const auto unknown = [] { return Fail(Refusal::kBackupUnknown); };
  FieldReader in(encoded);
  if (in.Text() != kSchema) return unknown();
  in.Octets();  // the database
  Key key;
  key.name = in.Text();
  const KeyTypeInfo* const type = FindKeyType(in.Int());
  if (type == nullptr) return unknown();
  key.type = type->type;
  key.created = FromUnixNanoseconds(in.Int());
  key.latest_version = static_cast<int>(in.IntIn(1, kMaxNumber));
  key.derived = in.Flag();
  key.convergent = in.Flag();
  key.exportable = in.Flag();
  key.hmac_octets = static_cast<int>(in.IntIn(kMinHmacOctets, kMaxHmacOctets));
  key.settings = ReadSettings(in);
  const std::int64_t versions = in.IntIn(1, kMaxNumber);
  for (std::int64_t i = 0; i < versions && in.Good(); ++i) {
    KeyVersion version = ReadVersion(in);
    if (!version.spki.empty()) {
      COFFER_ASSIGN(version.public_key, crypto::PublicKey::FromSpki(version.spki));
    }
    const int number = version.info.version;
    if (!key.versions.emplace(number, std::move(version)).second) return unknown();
  }
  if (!in.Whole() || !key.versions.contains(key.latest_version)) return unknown();
  return key;
}

}  // namespace coffer::keyring
