#include "coffer/crypto/buffered_random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace coffer::crypto {
namespace {

TEST(BufferedRandom, GivesNoOctetsTwiceOnAnyThread) {
  BufferedRandom random;
  std::mutex mutex;
  std::set<Bytes> seen;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) {  // a buffer is used up every 64th time
        Bytes id(16);
        random.Fill(id);
        const std::lock_guard lock(mutex);
        seen.insert(id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen.size(), 4000U);
}

TEST(BufferedRandom, FillsMoreThanItsBufferHolds) {
  Bytes large(5000);
  BufferedRandom().Fill(large);
  const Bytes zeros(32);
  EXPECT_EQ(std::search(large.begin(), large.end(), zeros.begin(), zeros.end()), large.end());
}

TEST(BufferedRandom, FillsAcrossTheEndOfItsBuffer) {
  BufferedRandom random;
  const Bytes zeros(32);
  for (int i = 0; i < 10; ++i) {
    Bytes most(700);
    random.Fill(most);
    EXPECT_EQ(std::search(most.begin(), most.end(), zeros.begin(), zeros.end()), most.end());
  }
}

}  // namespace
}  // namespace coffer::crypto
