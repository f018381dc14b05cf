#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace coffer::api {

struct Remount {
  std::string id;
  std::string from;
  std::string to;
};

// The last remounts, for clients that ask how theirs ended. Thread-safe.
class RemountLog {
 public:
  void Add(Remount remount) {
    constexpr std::size_t kKept = 256;
    const std::lock_guard lock(mutex_);
    if (remounts_.size() == kKept) remounts_.pop_front();
    remounts_.push_back(std::move(remount));
  }
  std::optional<Remount> Find(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    for (const Remount& remount : remounts_) {
      if (remount.id == id) return remount;
    }
    return std::nullopt;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Remount> remounts_;  // guarded by mutex_
};

}  // namespace coffer::api
