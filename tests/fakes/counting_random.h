#pragma once

#include <cstdint>
#include <mutex>

#include "coffer/base/random.h"

namespace coffer::fakes {

// Gives the bytes first, first + 1, ... modulo 256, which are not random at all. Thread-safe.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(std::uint8_t first = 0) : next_(first) {}
  void Fill(MutableBytes out) override {
    const std::lock_guard lock(mutex_);
    for (std::uint8_t& octet : out) octet = next_++;
  }

 private:
  std::mutex mutex_;
  std::uint8_t next_;  // guarded by mutex_
};

}  // namespace coffer::fakes
