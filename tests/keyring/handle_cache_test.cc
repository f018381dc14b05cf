#include "keyring/handle_cache.h"

#include <gtest/gtest.h>

namespace coffer::keyring {
namespace {

HandleKey KeyOf(std::uint8_t octet, int version) {
  HandleKey key;
  key.key.octets.fill(octet);
  key.version = version;
  return key;
}

TEST(HandleCacheTest, TellsVersionsOfAKeyApart) {
  HandleCache cache(4);
  cache.Put(KeyOf(1, 1), 11);
  cache.Put(KeyOf(1, 2), 12);
  EXPECT_EQ(cache.Get(KeyOf(1, 1)), 11U);
  EXPECT_EQ(cache.Get(KeyOf(1, 2)), 12U);
  EXPECT_EQ(cache.Get(KeyOf(2, 1)), std::nullopt);
}

TEST(HandleCacheTest, GivesOutTheLeastRecentlyUsedWhenFull) {
  HandleCache cache(2);
  EXPECT_EQ(cache.Put(KeyOf(1, 1), 11), std::nullopt);
  EXPECT_EQ(cache.Put(KeyOf(2, 1), 21), std::nullopt);
  EXPECT_EQ(cache.Get(KeyOf(1, 1)), 11U);
  EXPECT_EQ(cache.Put(KeyOf(3, 1), 31), 21U);
  EXPECT_EQ(cache.Get(KeyOf(2, 1)), std::nullopt);
  EXPECT_EQ(cache.Get(KeyOf(1, 1)), 11U);
}

TEST(HandleCacheTest, GivesOutTheHandleThatIsReplaced) {
  HandleCache cache(2);
  cache.Put(KeyOf(1, 1), 11);
  EXPECT_EQ(cache.Put(KeyOf(1, 1), 12), 11U);
  EXPECT_EQ(cache.Get(KeyOf(1, 1)), 12U);
}

TEST(HandleCacheTest, TakeAndClearForget) {
  HandleCache cache(2);
  cache.Put(KeyOf(1, 1), 11);
  cache.Put(KeyOf(2, 1), 21);
  EXPECT_EQ(cache.Take(KeyOf(1, 1)), 11U);
  EXPECT_EQ(cache.Take(KeyOf(1, 1)), std::nullopt);
  cache.Clear();
  EXPECT_EQ(cache.Get(KeyOf(2, 1)), std::nullopt);
}

}  // namespace
}  // namespace coffer::keyring
