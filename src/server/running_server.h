#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "coffer/api/health_handler.h"
#include "coffer/api/service.h"
#include "coffer/auth/policy_store.h"
#include "coffer/auth/token_store.h"
#include "coffer/barrier/barrier.h"
#include "coffer/base/stall_watch.h"
#include "coffer/metrics/registry.h"
#include "coffer/mounts/mount_table.h"
#include "coffer/storage/directory_lock.h"
#include "coffer/transit/engine.h"
#include "server/backup/running_backups.h"
#include "server/config/config.h"
#include "server/engines.h"
#include "server/foundation.h"
#include "server/log/log_levels.h"
#include "server/reload.h"
#include "server/store_check.h"

namespace coffer::server {

// The rooms of a running server, made in this order and unmade in the reverse one. The thread that
// serves signals calls it; `config`, `random` and `logger` outlive it.
class RunningServer {
 public:
  RunningServer(const Config& config, Random& random, LeveledLog& logger)
      : config_(config),
        running_(config),
        random_(random),
        logger_(logger),
        rooms_(random, logger) {}
  ~RunningServer();
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  // An error is a sentence that says what to do.
  Status Start();
  // Says on standard output where it listens and that it is ready.
  void Announce() const;
  // Called on SIGHUP: reads the certificates and the configuration again and opens the audit files
  // anew.
  void Reload(const ReadAgain& read_again);
  // Takes no new requests; returns when all that were begun are answered, or when the deadline has
  // passed.
  void Drain();
  // Tells whether every thread comes to the end of its work in time. Any thread.
  bool Lively() const { return !watch_->AnyStalled(); }

 private:
  Status OpenKeys();
  Status MakeTokenAtFirstStart(const SecretBytes& pin);
  Status OpenTokenAndKeys(const SecretBytes& pin);
  Status OpenAccess();
  Status KeepRootToken();
  Status OpenHttp();
  void MakeWatch();
  void WatchRequests();
  Status CheckTrail();
  void AddAnchors();
  void AddMetrics(const api::SystemParts& system);
  Status OpenHealth(const api::SystemParts& system);
  void ReloadTls();

  const Config& config_;  // as it was at the start
  Config running_;        // with what was reloaded; the thread that serves signals
  Random& random_;
  LeveledLog& logger_;
  metrics::Registry metrics_;  // reads the rooms below while http_ or health_ serve
  std::mutex serving_mutex_;
  http::Server* serving_ = nullptr;  // guarded by serving_mutex_: for threads that others made
  std::map<std::size_t, std::size_t> stalls_;  // of each worker; guarded by serving_mutex_
  std::size_t stalled_subjects_ = 0;           // guarded by serving_mutex_
  // The watch lives from the first call into the token to the last. It watches the threads of the
  // rooms below: if one does not come back, it says so and ends the process.
  std::unique_ptr<StallWatch> watch_;
  std::optional<storage::DirectoryLock> lock_;
  Foundation rooms_;
  std::unique_ptr<barrier::Barrier> barrier_;
  std::unique_ptr<mounts::MountTable> mounts_;
  std::unique_ptr<auth::PolicyStore> policies_;
  std::unique_ptr<auth::TokenStore> tokens_;
  std::unique_ptr<transit::Engine> engine_;
  std::unique_ptr<RunningBackups> backups_;
  std::unique_ptr<StoreCheck> store_check_;
  std::unique_ptr<Engines> engines_;
  std::unique_ptr<api::Service> service_;
  std::unique_ptr<http::Server> http_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<api::HealthHandler> health_handler_;
  std::unique_ptr<http::Server> health_;
  SecretBytes root_token_;
};

}  // namespace coffer::server
