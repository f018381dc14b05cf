#include "server/backup/running_backups.h"

#include <utility>

namespace coffer::server {

using Phase = api::BackupState::Phase;

RunningBackups::RunningBackups(BackupSource source, audit::Broker& audit,
                               std::filesystem::path directory, Logger& logger)
    : source_(std::move(source)),
      audit_(audit),
      directory_(std::move(directory)),
      logger_(logger) {}

RunningBackups::~RunningBackups() {
  ending_.store(true);
  if (thread_.joinable()) thread_.join();
}

Status RunningBackups::Start(std::string_view name, bool overwrite) {
  if (directory_.empty()) {
    return Fail(Code::kInvalid, "this server's configuration names no backup_directory");
  }
  const std::lock_guard lock(mutex_);
  if (last_ && last_->phase == Phase::kRunning) {
    return Fail(Code::kConflict, "the backup " + last_->name + " is running");
  }
  std::error_code ignored;
  const std::string text(name);
  if (!overwrite &&
      std::filesystem::exists(std::filesystem::symlink_status(directory_ / text, ignored))) {
    return BackupExists(text);
  }
  if (thread_.joinable()) thread_.join();  // it has ended
  // The thread is made first, as that may throw; it waits for the mutex.
  thread_ = std::thread([this, text, overwrite] { Make(text, overwrite); });
  last_.emplace();
  last_->name = text;
  last_->started = source_.clock.Now();
  return {};
}

std::optional<api::BackupState> RunningBackups::Last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

void RunningBackups::Make(const std::string& name, bool overwrite) {
  BackupOrder order;
  order.file = directory_ / name;
  order.overwrite = overwrite;
  order.progress = [this](std::int64_t done, std::int64_t total) {
    const std::lock_guard lock(mutex_);
    last_->pages_done = done;
    last_->pages_total = total;
    return !ending_.load();
  };
  order.record = [this, &name](const keyring::BackupManifest& manifest) {
    return RecordBackup(audit_, name, manifest);
  };
  Finish(WriteBackup(source_, order));
}

void RunningBackups::Finish(const Result<keyring::BackupManifest>& made) {
  const std::lock_guard lock(mutex_);
  if (!made) {
    last_->phase = Phase::kFailed;
    last_->error = made.error();
    logger_.Log(
        LogLevel::kError, "server", "the backup failed",
        {{"name", last_->name}, {"why", made.error().message}, {"cause", made.error().cause}});
    return;
  }
  last_->phase = Phase::kDone;
  last_->epoch = made->epoch;
  last_->keys = made->keys;
  last_->octets = made->octets;
  last_->sha256 = ToHex(made->sha256);
  logger_.Log(LogLevel::kInfo, "server", "backup made",
              {{"name", last_->name}, {"epoch", static_cast<std::int64_t>(made->epoch)}});
}

}  // namespace coffer::server
