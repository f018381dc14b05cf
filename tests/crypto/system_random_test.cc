#include "coffer/crypto/system_random.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace coffer::crypto {
namespace {

TEST(SystemRandom, FillsEveryOctetOfALargeBuffer) {
  // getrandom(2) may return after 33,554,431 bytes, and a signal may cut any call above 256.
  Bytes buffer((std::size_t{1} << 25) + 4096);
  SystemRandom().Fill(buffer);
  const Bytes zeros(32);
  EXPECT_EQ(std::search(buffer.begin(), buffer.end(), zeros.begin(), zeros.end()), buffer.end());
}

TEST(SystemRandom, GivesDifferentOctetsEachTime) {
  SystemRandom random;
  Bytes first(32);
  Bytes second(32);
  random.Fill(first);
  random.Fill(second);
  EXPECT_NE(first, second);
}

TEST(SystemRandom, WritesNothingIntoAnEmptyView) {
  Bytes buffer(2, 0x55);
  SystemRandom().Fill(MutableBytes(buffer).first(0));
  EXPECT_EQ(buffer, Bytes(2, 0x55));
}

}  // namespace
}  // namespace coffer::crypto
