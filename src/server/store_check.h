#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "coffer/audit/broker.h"
#include "coffer/base/logger.h"
#include "coffer/storage/database.h"

namespace coffer::server {

// Compares the rows of the running server's database with their sums, one shard after another, all
// of them in each period, and the schema with the migrations. What it finds is logged and recorded,
// and the server is not ready from then on: changes to the shard are refused until a start with
// -accept-damaged-rows (docs/operations.md). Owns a thread.
class StoreCheck {
 public:
  // All that is named outlives the check.
  StoreCheck(storage::Database& database, audit::Broker& trail, Logger& logger,
             std::chrono::milliseconds period);
  ~StoreCheck();
  StoreCheck(const StoreCheck&) = delete;
  StoreCheck& operator=(const StoreCheck&) = delete;

  // False once something was found. Any thread.
  bool Sound() const { return sound_.load(); }

 private:
  void Run();
  void CheckOne(const storage::Shard& shard);
  void CheckSchema();
  void Found(std::string_view shard, const Error& error);
  // False when the check is to end.
  bool Wait(std::chrono::milliseconds time);

  storage::Database& database_;
  audit::Broker& trail_;
  Logger& logger_;
  const std::chrono::milliseconds period_;
  std::atomic<bool> sound_{true};
  bool schema_sound_ = true;  // the thread's own
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace coffer::server
