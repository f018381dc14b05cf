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

// What the look-up hashes of API tokens are derived from.
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

// For whoever writes to the data directory or the token. kConflict naming the process that has it.
// A software token's file that a killed process emptied is put back.
Result<storage::DirectoryLock> LockDataDirectory(const Config& config, Logger& logger);

// What a command on the server's console works with while no server runs on the data directory.
struct Offline {
  storage::DirectoryLock lock;
  std::unique_ptr<storage::Database> database;

  // kConflict naming the process that holds the directory.
  static Result<Offline> Open(const Config& config, Logger& logger);
};

}  // namespace coffer::server
