#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "coffer/api/backups.h"
#include "coffer/audit/broker.h"
#include "coffer/base/logger.h"
#include "server/backup/backup_writer.h"

namespace coffer::server {

// The backups of a running server: one at a time, by a thread of its own, into one directory.
class RunningBackups final : public api::Backups {
 public:
  // `directory` may be empty: no backups can be made then. All arguments must outlive the office,
  // and the custodian must run.
  RunningBackups(BackupSource source, audit::Broker& audit, std::filesystem::path directory,
                 Logger& logger);
  // Breaks off a backup that is being made.
  ~RunningBackups() override;
  RunningBackups(const RunningBackups&) = delete;
  RunningBackups& operator=(const RunningBackups&) = delete;

  Status Start(std::string_view name, bool overwrite) override;
  std::optional<api::BackupState> Last() const override;

 private:
  void Make(const std::string& name, bool overwrite);
  void Finish(const Result<keyring::BackupManifest>& made);

  const BackupSource source_;
  audit::Broker& audit_;
  const std::filesystem::path directory_;
  Logger& logger_;
  std::atomic<bool> ending_{false};
  mutable std::mutex mutex_;
  std::optional<api::BackupState> last_;  // guarded by mutex_
  std::thread thread_;                    // guarded by mutex_
};

}  // namespace coffer::server
