#include "server/locked_database.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "coffer/api/registry.h"
#include "server/token/token_files.h"

namespace coffer::server {

std::filesystem::path DatabaseFile(const Config& config) {
  return config.data_directory / "coffer.db";
}

Result<std::unique_ptr<storage::Database>> OpenDatabase(const std::filesystem::path& file,
                                                        Logger& logger) {
  return storage::Database::Open({.file = file}, api::Schemas(), logger);
}

Status MakeDataDirectory(const Config& config) {
  std::error_code error;
  if (!std::filesystem::create_directory(config.data_directory, error) && error) {
    return Fail(Code::kInvalid,
                "failed to make " + config.data_directory.string() + ": " + error.message());
  }
  return {};
}

Status CheckDataDirectory(const Config& config) {
  const std::string name = "the data directory " + config.data_directory.string();
  struct stat found {};
  if (::stat(config.data_directory.c_str(), &found) != 0) {
    if (errno == ENOENT)
      return Fail(Code::kInvalid, name + " is not there: coffer hsm init makes it");
    return Fail(Code::kInvalid, "failed to look at " + name + ": " + std::strerror(errno));
  }
  if (!S_ISDIR(found.st_mode)) return Fail(Code::kInvalid, name + " is no directory");
  if (found.st_uid != ::geteuid()) {
    return Fail(Code::kInvalid, name + " belongs to another user: run this as that one");
  }
  return {};
}

void SelectSoftHsm(const Config& config) {
  if (config.softhsm_config.empty()) return;
  ::setenv("SOFTHSM2_CONF", config.softhsm_config.c_str(), 1);
}

Result<storage::DirectoryLock> LockDataDirectory(const Config& config, Logger& logger) {
  COFFER_TRY(CheckDataDirectory(config));
  COFFER_ASSIGN(auto lock, storage::DirectoryLock::Acquire(config.data_directory));
  COFFER_TRY(KeepTokenFiles(config.token.objects_directory, logger));
  return lock;
}

Result<LockedDatabase> LockedDatabase::Open(const Config& config, Logger& logger) {
  COFFER_ASSIGN(auto lock, LockDataDirectory(config, logger));
  COFFER_ASSIGN(auto database, OpenDatabase(DatabaseFile(config), logger));
  return LockedDatabase{std::move(lock), std::move(database)};
}

}  // namespace coffer::server
