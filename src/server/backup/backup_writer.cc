#include "server/backup/backup_writer.h"

#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "coffer/storage/database_replacement.h"
#include "server/backup/backup_file.h"
#include "server/descriptor.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

Status Publish(const fs::path& partial, const BackupOrder& order) {
  const unsigned how = order.overwrite ? 0U : unsigned{RENAME_NOREPLACE};
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, order.file.c_str(), how) != 0) {
    if (errno == EEXIST) return BackupExists(order.file.filename().string());
    const int reason = errno;
    return Fail(Code::kUnavailable,
                "failed to give the backup its name: " + std::generic_category().message(reason),
                order.file.string());
  }
  const Descriptor directory(
      ::open(order.file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) {
    const int reason = errno;
    return Fail(Code::kUnavailable,
                "failed to sync the backup's directory: " + std::generic_category().message(reason),
                order.file.string());
  }
  return {};
}

Result<keyring::BackupManifest> WritePartial(const BackupSource& source, const BackupOrder& order,
                                             const fs::path& partial) {
  keyring::BackupManifest manifest;
  manifest.made = source.clock.Now();
  manifest.token_serial = source.token_serial;
  {
    COFFER_ASSIGN(storage::Reader reader, source.database.Read());
    COFFER_TRY(keyring::ReadForManifest(reader, manifest));
    COFFER_TRY(reader.CopyTo(partial, order.progress));
  }
  COFFER_TRY(Measure(partial, manifest));
  Bytes encoded;
  keyring::Mac mac{};
  COFFER_TRY(source.custodian.Run([&](keyring::Token& token) -> Status {
    COFFER_ASSIGN(manifest.token_check, keyring::TokenCheck(token));
    encoded = keyring::EncodeManifest(manifest);
    COFFER_ASSIGN(mac, keyring::ManifestMac(token, encoded));
    return {};
  }));
  COFFER_TRY(AppendManifest(partial, encoded, mac));
  COFFER_TRY(order.record(manifest));
  COFFER_TRY(Publish(partial, order));
  return manifest;
}

}  // namespace

Status RecordBackup(audit::Broker& audit, std::string_view name,
                    const keyring::BackupManifest& manifest) {
  const std::string epoch = std::to_string(manifest.epoch);
  const std::string hash = ToHex(manifest.sha256);
  return audit.RecordEvent(
      {"backup-made", {{"name", name}, {"epoch", epoch}, {"sha256", hash}}, true});
}

tl::unexpected<Error> BackupExists(const std::string& name) {
  return Fail(Code::kConflict, "there is a backup named " + name +
                                   " already: choose another name, or overwrite it with -force");
}

Result<keyring::BackupManifest> WriteBackup(const BackupSource& source, const BackupOrder& order) {
  std::error_code ignored;
  if (!fs::is_directory(order.file.parent_path(), ignored)) {
    return Fail(Code::kUnavailable, "the directory of backups is not there",
                order.file.parent_path().string());
  }
  if (!order.overwrite && fs::exists(fs::symlink_status(order.file, ignored))) {
    return BackupExists(order.file.filename().string());
  }
  if (fs::is_regular_file(fs::symlink_status(order.file, ignored)) &&
      !BackupReader::Open(order.file)) {
    return Fail(Code::kConflict, "there is a file named " + order.file.filename().string() +
                                     " that is no backup: choose another name");
  }
  const fs::path partial =
      order.file.parent_path() / ("." + order.file.filename().string() + ".partial");
  storage::RemoveDatabaseFiles(partial);  // of one that was cut off
  auto written = WritePartial(source, order, partial);
  if (!written) storage::RemoveDatabaseFiles(partial);
  return written;
}

}  // namespace coffer::server
