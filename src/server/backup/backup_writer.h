#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "coffer/audit/broker.h"
#include "coffer/base/clock.h"
#include "coffer/base/result.h"
#include "coffer/keyring/backup_manifest.h"
#include "coffer/keyring/custodian.h"
#include "coffer/storage/database.h"

namespace coffer::server {

// The parts of a server that a backup is made from, while it runs or while it is stopped.
struct BackupSource {
  storage::Database& database;
  keyring::Custodian& custodian;
  std::string token_serial;
  const Clock& clock;
};

struct BackupOrder {
  std::filesystem::path file;
  bool overwrite = false;
  storage::CopyProgress progress;
  // Records the backup; an error discards it: no backup without its record.
  std::function<Status(const keyring::BackupManifest& manifest)> record;
};

// Writes a backup of the database as it is now, while it is in use. The file gets its name when it
// is whole and on the disk; until then the name is what it was. kConflict where there is a file of
// this name and it is not to be overwritten.
Result<keyring::BackupManifest> WriteBackup(const BackupSource& source, const BackupOrder& order);

// The audit trail's entry of a backup; on the disk when it returns.
Status RecordBackup(audit::Broker& audit, std::string_view name,
                    const keyring::BackupManifest& manifest);

// The refusal where the name is taken.
tl::unexpected<Error> BackupExists(const std::string& name);

}  // namespace coffer::server
