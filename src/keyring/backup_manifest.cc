#include "coffer/keyring/backup_manifest.h"

#include <algorithm>
#include <limits>

#include "coffer/base/secret_bytes.h"
#include "keyring/field_codec.h"
#include "keyring/keyring_store.h"

namespace coffer::keyring {
namespace {

constexpr std::string_view kSchemaName = "coffer-backup-1";
constexpr std::size_t kCheckOctets = 16;

auto NoManifest() { return Fail(Code::kCorrupt, "this is no backup's manifest"); }

// True if the text may be shown on a terminal: no byte of it could be a command to the terminal.
bool IsPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

Bytes EncodeManifest(const BackupManifest& manifest) {
  return FieldEncoder(kSchemaName)
      .Put(manifest.database.View())
      .Put(static_cast<std::int64_t>(manifest.epoch))
      .Put(manifest.keys)
      .Put(UnixNanoseconds(manifest.made))
      .Put(manifest.token_serial)
      .Put(ByteView(manifest.token_check))
      .Put(manifest.schema)
      .Put(static_cast<std::int64_t>(manifest.octets))
      .Put(ByteView(manifest.sha256))
      .Take();
}

Result<BackupManifest> DecodeManifest(ByteView encoded) {
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  FieldReader in(encoded);
  BackupManifest manifest;
  if (in.Text() != kSchemaName) return NoManifest();
  const auto database = Id::FromBytes(in.Octets());
  manifest.epoch = static_cast<std::uint64_t>(in.IntIn(0, kAny));
  manifest.keys = in.IntIn(0, kAny);
  manifest.made = FromUnixNanoseconds(in.IntIn(0, kAny));
  manifest.token_serial = in.Text();
  manifest.token_check = in.Copy();
  manifest.schema = in.Text();
  manifest.octets = static_cast<std::uint64_t>(in.IntIn(0, kAny));
  const ByteView sha256 = in.Octets();
  if (!in.Whole() || !database || manifest.token_check.size() != kCheckOctets ||
      sha256.size() != manifest.sha256.size() || !IsPlain(manifest.token_serial) ||
      !IsPlain(manifest.schema)) {
    return NoManifest();
  }
  manifest.database = *database;
  std::ranges::copy(sha256, manifest.sha256.begin());
  return manifest;
}

Status ReadForManifest(storage::Reader& reader, BackupManifest& manifest) {
  COFFER_ASSIGN(const auto number, reader.AnchorNumber());
  if (!number) {
    return Fail(Code::kNotFound, "no server has started on this database yet: nothing to back up");
  }
  COFFER_ASSIGN(manifest.database, store::ReadDatabaseId(reader));
  manifest.epoch = *number;
  COFFER_ASSIGN(manifest.keys, store::CountKeys(reader));
  COFFER_ASSIGN(manifest.schema, reader.SchemaSteps());
  return {};
}

Result<Bytes> TokenCheck(Token& token) {
  COFFER_ASSIGN(const Mac mac, token.MetaMac(FieldEncoder("coffer-token-check-1").Take()));
  return Bytes(mac.begin(), mac.begin() + kCheckOctets);
}

Result<Mac> ManifestMac(Token& token, ByteView encoded) { return token.MetaMac(encoded); }

Status VerifyManifest(Token& token, const BackupManifest& manifest, ByteView encoded,
                      ByteView mac) {
  COFFER_ASSIGN(const Bytes check, TokenCheck(token));
  if (check != manifest.token_check) {
    return Fail(Code::kPermissionDenied,
                "the backup belongs to another token (serial " + manifest.token_serial +
                    "): only the one that it was made with can open its keys");
  }
  COFFER_ASSIGN(const Mac wanted, ManifestMac(token, encoded));
  if (!ConstantTimeEqual(wanted, mac)) {
    return Fail(Code::kCorrupt, "the backup's manifest was changed: its MAC is not the token's");
  }
  return {};
}

}  // namespace coffer::keyring
