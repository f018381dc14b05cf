#pragma once

#include <cstdint>
#include <string>

#include "coffer/base/bytes.h"
#include "coffer/base/clock.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/crypto/digest.h"
#include "coffer/keyring/token.h"
#include "coffer/storage/database.h"

namespace coffer::keyring {

// The manifest of a backup: the statement about its copy of the database (docs/formats.md). The
// token's MAC covers all of it, so that no other copy, and no copy of another server, passes for
// this one.
struct BackupManifest {
  Id database;
  std::uint64_t epoch = 0;
  std::int64_t keys = 0;
  SystemTime made{};
  std::string token_serial;
  // TokenCheck() of the token that made the backup. It tells a foreign token from a changed
  // manifest, and is public.
  Bytes token_check;
  std::string schema;  // "audit 1, keyring 1": the newest step of each room
  std::uint64_t octets = 0;
  crypto::Sha256Digest sha256{};  // of the copy
};

// A longer manifest was not made by this server and is refused.
inline constexpr std::size_t kMaxManifestOctets = 4096;

Bytes EncodeManifest(const BackupManifest& manifest);
// kCorrupt "this is no backup's manifest".
Result<BackupManifest> DecodeManifest(ByteView encoded);

// Reads database, epoch, number of keys and schema from the reader's snapshot. kNotFound where no
// server has started on this database.
Status ReadForManifest(storage::Reader& reader, BackupManifest& manifest);
// 16 bytes of coffer-meta's MAC over a constant.
Result<Bytes> TokenCheck(Token& token);
Result<Mac> ManifestMac(Token& token, ByteView encoded);
// kPermissionDenied where the backup belongs to another token, kCorrupt where the MAC is not the
// token's.
Status VerifyManifest(Token& token, const BackupManifest& manifest, ByteView encoded, ByteView mac);

}  // namespace coffer::keyring
