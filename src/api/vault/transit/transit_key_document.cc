#include "api/vault/transit/transit_key_document.h"

#include <string>

#include "coffer/base/base64.h"
#include "coffer/base/clock.h"

namespace coffer::api {
namespace {

// Writes the entry of a version. Old clients expect a number for a version of a symmetric key and
// an object for one of a key pair.
void WriteVersionEntry(const keyring::Key& key, const keyring::KeyVersion& version,
                       JsonWriter& json) {
  if (!key.Info().Asymmetric()) {
    json.Int(UnixSeconds(version.info.created));
    return;
  }
  json.BeginObject();
  json.Key("name").Text(key.Info().curve);
  json.Key("public_key");
  if (!version.public_key) {
    json.Text("");
  } else if (key.Info().family == keyring::Family::kEd25519) {
    json.Base64(version.public_key->Raw());
  } else {
    json.Text(version.public_key->Pem());
  }
  json.Key("certificate_chain").Text(version.certificate_chain);
  json.Key("creation_time").Text(Rfc3339(version.info.created));
  json.EndObject();
}

// Writes facts that Vault does not tell: where the version is kept and how many encryptions are
// charged to it.
void WriteVersionFacts(const keyring::Key& key, const keyring::KeyVersion& version,
                       JsonWriter& json) {
  json.BeginObject();
  json.Key("creation_time").Text(Rfc3339(version.info.created));
  json.Key("custody").Text(keyring::CustodyName(version.custody));
  json.Key("master").Text(version.info.master);
  if (version.imported_through != keyring::ImportedThrough::kNone) {
    json.Key("imported_through").Text(keyring::ImportedThroughName(version.imported_through));
  }
  if (key.derived) json.Key("kdf").Text(keyring::KdfName(version.kdf));
  // The number is an upper bound, because encryptions are charged in blocks before they are used.
  if (key.Info().encrypts && !key.Info().Asymmetric()) {
    const keyring::EncryptionCounter& counter = *version.counter;
    json.Key("encryptions").Int(counter.reserved.load() - counter.left_in_block.load());
  }
  json.EndObject();
}

void WriteSupports(const keyring::Key& key, JsonWriter& json) {
  const keyring::KeyTypeInfo& info = key.Info();
  json.Key("supports_encryption").Bool(info.encrypts);
  json.Key("supports_decryption").Bool(info.encrypts);
  json.Key("supports_signing").Bool(info.signs);
  json.Key("supports_derivation").Bool(info.derives);
}

void WriteSettings(const keyring::Key& key, JsonWriter& json) {
  const keyring::KeySettings& settings = key.settings;
  json.Key("deletion_allowed").Bool(settings.deletion_allowed);
  json.Key("min_available_version").Int(settings.min_available_version);
  json.Key("min_decryption_version").Int(settings.min_decryption_version);
  json.Key("min_encryption_version").Int(settings.min_encryption_version);
  json.Key("latest_version").Int(key.latest_version);
  json.Key("exportable").Bool(key.exportable);
  json.Key("allow_plaintext_backup").Bool(settings.allow_plaintext_backup);
  json.Key("auto_rotate_period").Int(settings.auto_rotate_period_seconds);
  json.Key("imported_key").Bool(settings.imported);
  if (settings.imported) {
    json.Key("imported_key_allow_rotation").Bool(settings.allow_imported_rotation);
  }
  json.Key("soft_deleted").Bool(settings.soft_deleted);
}

}  // namespace

void WriteKeyDocument(const keyring::Key& key, JsonWriter& json) {
  const auto shown = [&](int number) { return number >= key.settings.min_decryption_version; };
  const auto latest = key.versions.find(key.latest_version);
  json.BeginObject();
  json.Key("name").Text(key.name);
  json.Key("type").Text(key.Info().name);
  if (latest != key.versions.end()) {
    json.Key("custody").Text(keyring::CustodyName(latest->second.custody));
  }
  json.Key("derived").Bool(key.derived);
  if (key.derived) {
    if (latest != key.versions.end()) json.Key("kdf").Text(keyring::KdfName(latest->second.kdf));
    json.Key("convergent_encryption").Bool(key.convergent);
    // Each key version has a convergent version of its own, which Vault expresses by this number.
    if (key.convergent) json.Key("convergent_encryption_version").Int(-1);
  }
  if (key.Info().family == keyring::Family::kHmac) json.Key("key_size").Int(key.hmac_octets);
  WriteSettings(key, json);
  WriteSupports(key, json);
  json.Key("keys").BeginObject();
  for (const auto& [number, version] : key.versions) {
    if (!shown(number)) continue;
    json.Key(std::to_string(number));
    WriteVersionEntry(key, version, json);
  }
  json.EndObject().Key("versions").BeginObject();
  for (const auto& [number, version] : key.versions) {
    if (!shown(number)) continue;
    json.Key(std::to_string(number));
    WriteVersionFacts(key, version, json);
  }
  json.EndObject().EndObject();
}

}  // namespace coffer::api
