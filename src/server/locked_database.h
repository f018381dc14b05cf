#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"
#include "coffer/storage/directory_lock.h"
#include "server/config/config.h"

namespace coffer::server {

// The label from which the key for look-up hashes of API tokens is derived.
inline constexpr std::string_view kTokenLookupLabel = "coffer token look-up 1";

std::filesystem::path DatabaseFile(const Config& config);
// The database of all rooms together, brought to this program's schema.
Result<std::unique_ptr<storage::Database>> OpenDatabase(const std::filesystem::path& file,
                                                        Logger& logger);

// Makes the data directory where it is missing; its parent must be there.
Status MakeDataDirectory(const Config& config);

// kInvalid where the data directory is not there, or not this user's.
Status CheckDataDirectory(const Config& config);

// Points SoftHSM at its configuration file, where one is configured. Before its module is loaded.
void SelectSoftHsm(const Config& config);

// Every caller that writes to the data directory or the token must hold this lock. kConflict naming
// the process that has it. A software token's file that a killed process emptied is put back.
Result<storage::DirectoryLock> LockDataDirectory(const Config& config, Logger& logger);

// The data directory of a stopped server, for a command on the console: the lock and the open
// database.
struct LockedDatabase {
  storage::DirectoryLock lock;
  std::unique_ptr<storage::Database> database;

  // kConflict naming the process that holds the directory.
  static Result<LockedDatabase> Open(const Config& config, Logger& logger);
};

}  // namespace coffer::server
