#include "audit/snapshot.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace coffer::audit {
namespace {

TEST(Snapshot, EveryThreadSeesWhatWasSet) {
  Snapshot<int> snapshot(1);
  snapshot.Set(2);
  std::vector<int> seen(40);  // more threads than places
  std::vector<std::thread> threads;
  for (int& each : seen) threads.emplace_back([&] { each = *snapshot.Get(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, std::vector<int>(40, 2));
}

TEST(Snapshot, WhatWasTakenStaysUntilItIsLetGo) {
  const auto tracked = std::make_shared<int>(0);
  Snapshot<std::shared_ptr<int>> snapshot(tracked);
  auto taken = snapshot.Get();
  snapshot.Set(nullptr);
  EXPECT_EQ(*taken, tracked);
  EXPECT_EQ(*snapshot.Get(), nullptr);
  EXPECT_EQ(tracked.use_count(), 2);
  taken.reset();
  EXPECT_EQ(tracked.use_count(), 1);
}

TEST(Snapshot, NoThreadGoesBackToAFormerValue) {
  constexpr int kLast = 500;
  Snapshot<int> snapshot(0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int seen = 0; seen < kLast;) {
        const int now = *snapshot.Get();
        ASSERT_GE(now, seen);
        seen = now;
      }
    });
  }
  for (int value = 1; value <= kLast; ++value) snapshot.Set(value);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace coffer::audit
