#include "keyring/retired_versions.h"

namespace coffer::keyring {

void RetiredVersions::Add(const Version& version) {
  const MutexLock lock(mutex_);
  if (latest_.size() >= most_) latest_.pop_front();
  latest_.push_back(version);
  count_.fetch_add(1, std::memory_order_release);
}

std::optional<std::vector<RetiredVersions::Version>> RetiredVersions::Since(std::uint64_t& seen) {
  using Versions = std::vector<Version>;
  if (count_.load(std::memory_order_acquire) == seen) return Versions();
  const MutexLock lock(mutex_);
  const std::uint64_t count = count_.load(std::memory_order_relaxed);
  const std::uint64_t missing = count - seen;
  seen = count;
  if (missing > latest_.size()) return std::nullopt;
  return Versions(latest_.end() - static_cast<std::ptrdiff_t>(missing), latest_.end());
}

std::size_t RetiredVersions::Remembered() {
  const MutexLock lock(mutex_);
  return latest_.size();
}

}  // namespace coffer::keyring
