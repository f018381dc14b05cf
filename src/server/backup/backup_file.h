#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/keyring/backup_manifest.h"
#include "server/descriptor.h"

namespace coffer::server {

// A backup is one file: the database's bytes, then the manifest, its MAC and a trailer
// (docs/formats.md).

// Fills in the size in bytes and the SHA-256 of `file`, which is the copy of the database and
// nothing else so far.
Status Measure(const std::filesystem::path& file, keyring::BackupManifest& manifest);
// Appends the manifest, its MAC and the trailer, which make the file a backup, and syncs the file
// to the disk.
Status AppendManifest(const std::filesystem::path& file, ByteView encoded, const keyring::Mac& mac);

using OctetProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// A backup that is open for reading. Its manifest must not be trusted until the token has verified
// the MAC.
class BackupReader {
 public:
  // Follows no symbolic link. kCorrupt where the file is no backup, or was cut.
  static Result<BackupReader> Open(const std::filesystem::path& file);

  const keyring::BackupManifest& Manifest() const { return manifest_; }
  ByteView Encoded() const { return encoded_; }
  ByteView Mac() const { return mac_; }

  // Checks the copy against the manifest; kCorrupt if they differ.
  Status Check(const OctetProgress& progress) const;
  // Does the same, and writes the copy to the new file `to` (mode 0600), which is on the disk
  // afterwards. After an error there is no such file.
  Status ExtractTo(const std::filesystem::path& to, const OctetProgress& progress) const;

 private:
  explicit BackupReader(Descriptor file) : file_(std::move(file)) {}
  Status ReadEnd();
  Status Copy(const std::function<Status(ByteView)>& take, const OctetProgress& progress) const;

  Descriptor file_;
  keyring::BackupManifest manifest_;
  Bytes encoded_;
  Bytes mac_;
};

}  // namespace coffer::server
