#include "server/store_check.h"

#include <algorithm>
#include <string>

namespace coffer::server {

StoreCheck::StoreCheck(storage::Database& database, audit::Broker& trail, Logger& logger,
                       std::chrono::milliseconds period)
    : database_(database), trail_(trail), logger_(logger), period_(period) {
  thread_ = std::thread([this] { Run(); });
}

StoreCheck::~StoreCheck() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

bool StoreCheck::Wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !ended_.wait_for(lock, time, [this] { return end_; });
}

void StoreCheck::Found(std::string_view shard, const Error& error) {
  sound_.store(false);
  logger_.Log(LogLevel::kError, "server", error.message, {{"shard", shard}, {"why", error.cause}});
  // The error is ignored: a trail that takes no entries makes the server refuse every request
  // anyway.
  static_cast<void>(
      trail_.RecordEvent({"store-damaged", {{"shard", shard}, {"why", error.message}}, true}));
}

void StoreCheck::CheckOne(const storage::Shard& shard) {
  const auto known = database_.DamagedShards();
  if (std::ranges::find(known, shard) != known.end()) return;
  const Status checked = database_.CheckShard(shard);
  if (checked) return;
  if (checked.error().code == Code::kCorrupt) return Found(shard.Text(), checked.error());
  logger_.Log(LogLevel::kWarn, "server", "failed to check a part of the database",
              {{"shard", shard.Text()}, {"why", checked.error().message}});
}

void StoreCheck::CheckSchema() {
  if (!schema_sound_) return;
  const Status checked = database_.CheckSchema();
  if (checked || checked.error().code != Code::kCorrupt) return;
  schema_sound_ = false;
  Found("schema", checked.error());
}

void StoreCheck::Run() {
  const std::vector<storage::Shard> shards = database_.Shards();
  const auto pace = period_ / (shards.size() + 1);
  while (true) {
    CheckSchema();
    for (const storage::Shard& shard : shards) {
      if (!Wait(pace)) return;
      CheckOne(shard);
    }
    if (!Wait(pace)) return;
  }
}

}  // namespace coffer::server
