#include "coffer/base/counters.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace coffer {
namespace {

using std::chrono::nanoseconds;

TEST(CounterTest, LosesNothingWhereThreadsAddAtOnce) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) counter.Add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  counter.Add(5);
  EXPECT_EQ(counter.Value(), 40'005U);
}

TEST(DurationHistogramTest, PutsADurationAtABoundIntoTheBucketThatEndsThere) {
  for (std::size_t i = 0; i < kDurationBounds.size(); ++i) {
    DurationHistogram histogram;
    histogram.Observe(kDurationBounds[i]);
    histogram.Observe(kDurationBounds[i] + nanoseconds(1));
    const DurationCounts counts = histogram.Counts();
    EXPECT_EQ(counts.buckets[i], 1U) << i;
    EXPECT_EQ(counts.buckets[i + 1], 1U) << i;
    EXPECT_EQ(counts.Count(), 2U);
  }
}

TEST(DurationHistogramTest, SumsWhatItSawAndTakesAClockThatWentBackForNothing) {
  DurationHistogram histogram;
  histogram.Observe(nanoseconds(40));
  histogram.Observe(nanoseconds(-7));
  histogram.Observe(nanoseconds(2));
  const DurationCounts counts = histogram.Counts();
  EXPECT_EQ(counts.buckets[0], 3U);
  EXPECT_EQ(counts.nanoseconds, 42U);
}

TEST(DurationHistogramTest, AddsUpOverShards) {
  DurationHistogram one;
  DurationHistogram other;
  one.Observe(nanoseconds(1));
  other.Observe(std::chrono::hours(1));
  DurationCounts sum = one.Counts();
  sum.Add(other.Counts());
  EXPECT_EQ(sum.Count(), 2U);
  EXPECT_EQ(sum.buckets.back(), 1U);
  EXPECT_EQ(sum.nanoseconds, 3'600'000'000'001U);
}

}  // namespace
}  // namespace coffer
