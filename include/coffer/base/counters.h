#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace coffer {

// A count that only grows. Any thread; one relaxed addition, no lock.
class Counter {
 public:
  void Add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// The buckets that all histograms of durations share: inclusive upper bounds, rising. Above the
// last there is one more, without a bound.
inline constexpr std::array kDurationBounds{
    std::chrono::nanoseconds{10'000},        std::chrono::nanoseconds{25'000},
    std::chrono::nanoseconds{50'000},        std::chrono::nanoseconds{100'000},
    std::chrono::nanoseconds{250'000},       std::chrono::nanoseconds{500'000},
    std::chrono::nanoseconds{1'000'000},     std::chrono::nanoseconds{2'500'000},
    std::chrono::nanoseconds{5'000'000},     std::chrono::nanoseconds{10'000'000},
    std::chrono::nanoseconds{25'000'000},    std::chrono::nanoseconds{50'000'000},
    std::chrono::nanoseconds{100'000'000},   std::chrono::nanoseconds{250'000'000},
    std::chrono::nanoseconds{500'000'000},   std::chrono::nanoseconds{1'000'000'000},
    std::chrono::nanoseconds{2'500'000'000}, std::chrono::nanoseconds{10'000'000'000}};

// The content of a histogram, or of several together, at one moment. A value.
struct DurationCounts {
  std::array<std::uint64_t, kDurationBounds.size() + 1> buckets{};  // each its own, not cumulative
  std::uint64_t nanoseconds = 0;                                    // of all durations together

  std::uint64_t Count() const {
    std::uint64_t count = 0;
    for (const std::uint64_t bucket : buckets) count += bucket;
    return count;
  }
  void Add(const DurationCounts& other) {
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
    nanoseconds += other.nanoseconds;
  }
};

// Durations by bucket. Any thread; two relaxed additions, no lock. A reader may see the one without
// the other.
class DurationHistogram {
 public:
  void Observe(std::chrono::nanoseconds took) {
    std::size_t bucket = 0;
    while (bucket < kDurationBounds.size() && took > kDurationBounds[bucket]) ++bucket;
    buckets_[bucket].Add();
    if (took.count() > 0) nanoseconds_.Add(static_cast<std::uint64_t>(took.count()));
  }
  DurationCounts Counts() const {
    DurationCounts counts;
    for (std::size_t i = 0; i < buckets_.size(); ++i) counts.buckets[i] = buckets_[i].Value();
    counts.nanoseconds = nanoseconds_.Value();
    return counts;
  }

 private:
  std::array<Counter, kDurationBounds.size() + 1> buckets_{};
  Counter nanoseconds_;
};

}  // namespace coffer
