#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "coffer/base/ids.h"
#include "coffer/base/mutex.h"

namespace coffer::keyring {

// Versions that were destroyed: each worker drops their handles before its next use of a key. The
// last `most` are remembered; a worker that has missed more drops all of its handles. Thread-safe.
class RetiredVersions {
 public:
  struct Version {
    Id key;
    int number = 0;
  };
  explicit RetiredVersions(std::size_t most) : most_(most) {}

  void Add(const Version& version);
  // The versions added since `seen`, which is moved on; nothing if some of them are forgotten by
  // now. If there is nothing new, this costs one atomic load.
  std::optional<std::vector<Version>> Since(std::uint64_t& seen);
  std::size_t Remembered();

 private:
  const std::size_t most_;
  std::atomic<std::uint64_t> count_{0};  // ever added
  Mutex mutex_;
  std::deque<Version> latest_ COFFER_GUARDED_BY(mutex_);
};

}  // namespace coffer::keyring
