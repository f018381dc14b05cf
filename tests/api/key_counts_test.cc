#include "api/key_counts.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace coffer::api {
namespace {

std::string Told(const KeyCounts& counts) {
  metrics::Registry registry;
  counts.Register(registry);
  return registry.PrometheusText();
}

bool Has(const std::string& text, std::string_view line) {
  return text.find(line) != std::string::npos;
}

TEST(KeyCountsTest, KeysOfOneNameInTwoMountsAreTwo) {
  KeyCounts counts(10);
  counts.Note("transit_a", "k", "encrypt/:name");
  counts.Note("transit_b", "k", "encrypt/:name");
  counts.Note("transit_b", "k", "datakey/=kind/:name");
  const std::string text = Told(counts);
  EXPECT_TRUE(Has(text, "{mount_accessor=\"transit_a\",key=\"k\",operation=\"encrypt\"} 1\n"));
  EXPECT_TRUE(Has(text, "{mount_accessor=\"transit_b\",key=\"k\",operation=\"encrypt\"} 1\n"));
  EXPECT_TRUE(Has(text, "{mount_accessor=\"transit_b\",key=\"k\",operation=\"datakey\"} 1\n"));
}

TEST(KeyCountsTest, KeysBeyondTheLimitShareOneSeries) {
  KeyCounts counts(3);
  for (int i = 0; i < 100; ++i) {
    counts.Note("m", "key-" + std::to_string(i), "encrypt/:name");
    counts.Note("m", "key-1", "encrypt/:name");
  }
  const std::string text = Told(counts);
  EXPECT_TRUE(Has(text, "key=\"key-0\",operation=\"encrypt\"} 1\n")) << text;
  EXPECT_TRUE(Has(text, "key=\"key-1\",operation=\"encrypt\"} 101\n")) << text;
  EXPECT_TRUE(Has(text, "key=\"key-2\",operation=\"encrypt\"} 1\n")) << text;
  EXPECT_TRUE(Has(text, "{mount_accessor=\"other\",key=\"other\",operation=\"encrypt\"} 97\n"));
  EXPECT_FALSE(Has(text, "key-3"));
}

TEST(KeyCountsTest, CountsNothingWhereTheLimitIsZero) {
  KeyCounts counts(0);
  EXPECT_FALSE(counts.Counting());
  counts.Note("m", "k", "encrypt/:name");
  EXPECT_FALSE(Has(Told(counts), "encrypt"));
}

TEST(KeyCountsTest, LosesNothingWhereThreadsMeetTheSameNewKeys) {
  constexpr int kThreads = 4;
  constexpr int kKeys = 200;
  KeyCounts counts(kKeys / 2);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int key = 0; key < kKeys; ++key) {
        counts.Note("m", "key-" + std::to_string(key), "sign/:name");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = Told(counts);
  double sum = 0;
  int series = 0;
  for (std::size_t at = text.find("} "); at != std::string::npos; at = text.find("} ", at + 1)) {
    sum += std::stod(text.substr(at + 2));
    ++series;
  }
  EXPECT_EQ(sum, kThreads * kKeys);
  EXPECT_LE(series, kKeys / 2 + 1);
}

}  // namespace
}  // namespace coffer::api
