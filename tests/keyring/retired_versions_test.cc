#include "keyring/retired_versions.h"

#include <gtest/gtest.h>

namespace coffer::keyring {
namespace {

constexpr std::size_t kRemembered = 8;

class RetiredVersionsTest : public ::testing::Test {
 protected:
  void Add(int first, int last) {
    for (int number = first; number <= last; ++number) retired_.Add({key_, number});
  }
  // The numbers since `seen`; nothing where some are forgotten.
  std::optional<std::vector<int>> Since(std::uint64_t& seen) {
    const auto added = retired_.Since(seen);
    if (!added) return std::nullopt;
    std::vector<int> numbers;
    for (const auto& version : *added) numbers.push_back(version.number);
    return numbers;
  }

  Id key_{};
  RetiredVersions retired_{kRemembered};
};

TEST_F(RetiredVersionsTest, EachWorkerIsToldOnceOfWhatItHasNotSeen) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  EXPECT_EQ(Since(first), std::vector<int>());
  Add(1, 2);
  EXPECT_EQ(Since(first), (std::vector{1, 2}));
  Add(3, 3);
  EXPECT_EQ(Since(first), std::vector{3});
  EXPECT_EQ(Since(first), std::vector<int>());
  EXPECT_EQ(Since(second), (std::vector{1, 2, 3}));
}

TEST_F(RetiredVersionsTest, RemembersTheLatestHoweverManyThereWere) {
  std::uint64_t seen = 0;
  for (int round = 0; round < 100'000; ++round) {
    Add(round, round);
    ASSERT_EQ(Since(seen), std::vector{round});
  }
  EXPECT_LE(retired_.Remembered(), kRemembered);
}

TEST_F(RetiredVersionsTest, WhoComesTooLateIsToldSoOnceAndThenOfWhatFollows) {
  std::uint64_t seen = 0;
  Add(1, 8);
  std::uint64_t in_time = seen;
  EXPECT_EQ(Since(in_time)->size(), 8U);
  Add(9, 9);
  EXPECT_EQ(Since(seen), std::nullopt);
  EXPECT_EQ(Since(seen), std::vector<int>());
  Add(10, 10);
  EXPECT_EQ(Since(seen), std::vector{10});
}

}  // namespace
}  // namespace coffer::keyring
