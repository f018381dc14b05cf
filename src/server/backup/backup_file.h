#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/keyring/backup_manifest.h"
#include "server/descriptor.h"

namespace coffer::server {

// A backup is one file: the database's octets, then the manifest, its MAC and a trailer
// (docs/formats.md).

// Fills in the octets and the SHA-256 of `file`, which is the copy of the database and nothing
// else so far.
Status Measure(const std::filesystem::path& file, keyring::BackupManifest& manifest);
// Appends what makes it a backup, and brings it to the disk.
Status AppendManifest(const std::filesystem::path& file, ByteView encoded, const keyring::Mac& mac);

using OctetProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// A backup that is open for reading. What stands in its manifest is the file's own word until the
// token was asked.
class BackupReader {
 public:
  // Follows no symbolic link. kCorrupt where the file is no backup, or was cut.
  static Result<BackupReader> Open(const std::filesystem::path& file);

  const keyring::BackupManifest& Manifest() const { return manifest_; }
  ByteView Encoded() const { return encoded_; }
  ByteView Mac() const { return mac_; }

  // Whether the copy is what the manifest says; kCorrupt.
  Status Check(const OctetProgress& progress) const;
  // The same, and writes it to the new file `to` (mode 0600), which is on the disk afterwards.
  // After an error there is no such file.
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
