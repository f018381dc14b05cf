#include "coffer/base/clock.h"

#include <gtest/gtest.h>

namespace coffer {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Rfc3339, WritesWholeSecondsWithoutAFraction) {
  EXPECT_EQ(Rfc3339(FromUnixNanoseconds(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Rfc3339(FromUnixNanoseconds(1'709'251'199 * kSecond)), "2024-02-29T23:59:59Z");
}

TEST(Rfc3339, CutsTrailingZerosOfTheFractionAsGoDoes) {
  EXPECT_EQ(Rfc3339(FromUnixNanoseconds(kSecond + 500'000'000)), "1970-01-01T00:00:01.5Z");
  EXPECT_EQ(Rfc3339(FromUnixNanoseconds(kSecond + 1)), "1970-01-01T00:00:01.000000001Z");
  EXPECT_EQ(Rfc3339(FromUnixNanoseconds(kSecond + 123'456'789)), "1970-01-01T00:00:01.123456789Z");
  EXPECT_EQ(Rfc3339(FromUnixNanoseconds(kSecond + 120'000'000)), "1970-01-01T00:00:01.12Z");
}

TEST(Rfc3339, CountsFractionsUpwardsBefore1970) {
  EXPECT_EQ(Rfc3339(FromUnixNanoseconds(-1)), "1969-12-31T23:59:59.999999999Z");
}

TEST(UnixTime, RoundsSecondsDownOnBothSidesOf1970) {
  EXPECT_EQ(UnixSeconds(FromUnixNanoseconds(kSecond * 2 - 1)), 1);
  EXPECT_EQ(UnixSeconds(FromUnixNanoseconds(-1)), -1);
}

TEST(UnixTime, KeepsNanosecondsBothWays) {
  for (const std::int64_t nanoseconds :
       {std::int64_t{0}, std::int64_t{-7}, 1'709'251'199 * kSecond + 3}) {
    EXPECT_EQ(UnixNanoseconds(FromUnixNanoseconds(nanoseconds)), nanoseconds);
  }
}

TEST(SystemClock, ReadsTheMachinesClock) {
  const SystemTime before = std::chrono::system_clock::now();
  const SystemTime now = SystemClock().Now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

}  // namespace
}  // namespace coffer
