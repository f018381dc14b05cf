#pragma once

#include <atomic>
#include <cstddef>

namespace coffer::http {

// What all buffers of a server hold together. Thread-safe.
class MemoryBudget {
 public:
  // Buffers up to this size are not counted: every connection may have them.
  static constexpr std::size_t kFree = 16UL * 1024;

  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}

  // What one connection or parked request holds was `before` and is `after`; the new count of it.
  std::size_t Change(std::size_t before, std::size_t after) {
    if (after <= kFree) after = 0;
    if (after > before) used_.fetch_add(after - before);
    if (after < before) used_.fetch_sub(before - after);
    return after;
  }
  std::size_t Used() const { return used_.load(); }
  bool Exceeded() const { return used_.load() > limit_; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace coffer::http
