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

HandleKey DerivedKeyOf(std::uint8_t octet, int version, std::uint8_t context) {
  HandleKey key = KeyOf(octet, version);
  key.use = Use::kDerive;
  key.derived = DerivedUse::kCipher;
  key.context.fill(context);
  return key;
}

TEST(HandleCacheTest, TellsUsesAndContextsApart) {
  HandleCache cache(8);
  HandleKey mac = KeyOf(1, 1);
  mac.use = Use::kHmac;
  cache.Put(KeyOf(1, 1), 11);
  cache.Put(mac, 12);
  cache.Put(DerivedKeyOf(1, 1, 7), 13);
  HandleKey nonce = DerivedKeyOf(1, 1, 7);
  nonce.derived = DerivedUse::kNonce;
  cache.Put(nonce, 14);
  EXPECT_EQ(cache.Get(KeyOf(1, 1)), 11U);
  EXPECT_EQ(cache.Get(mac), 12U);
  EXPECT_EQ(cache.Get(DerivedKeyOf(1, 1, 7)), 13U);
  EXPECT_EQ(cache.Get(nonce), 14U);
  EXPECT_EQ(cache.Get(DerivedKeyOf(1, 1, 8)), std::nullopt);
}

TEST(HandleCacheTest, TakesAllThatBelongsToAVersionAndNothingElse) {
  HandleCache cache(8);
  HandleKey mac = KeyOf(1, 1);
  mac.use = Use::kHmac;
  cache.Put(KeyOf(1, 1), 11);
  cache.Put(mac, 12);
  cache.Put(DerivedKeyOf(1, 1, 7), 13);
  cache.Put(DerivedKeyOf(1, 2, 7), 23);
  cache.Put(KeyOf(2, 1), 31);
  EXPECT_EQ(cache.TakeVersion(KeyOf(1, 1).key, 1).size(), 3U);
  EXPECT_TRUE(cache.TakeVersion(KeyOf(1, 1).key, 1).empty());
  EXPECT_EQ(cache.Get(KeyOf(1, 1)), std::nullopt);
  EXPECT_EQ(cache.Get(DerivedKeyOf(1, 2, 7)), 23U);
  EXPECT_EQ(cache.Get(KeyOf(2, 1)), 31U);
}

TEST(HandleCacheTest, ClearForgets) {
  HandleCache cache(2);
  cache.Put(KeyOf(2, 1), 21);
  cache.Clear();
  EXPECT_EQ(cache.Get(KeyOf(2, 1)), std::nullopt);
}

TEST(HandleCacheTest, CountsWhatItFoundWhatItDidNotAndWhatMadeRoom) {
  HandleCache cache(2);
  EXPECT_EQ(cache.Get(KeyOf(1, 1)), std::nullopt);
  cache.Put(KeyOf(1, 1), 11);
  cache.Put(KeyOf(1, 1), 12);  // replaced, which is no making of room
  cache.Put(KeyOf(2, 1), 21);
  EXPECT_EQ(cache.Get(KeyOf(1, 1)), 12U);
  cache.Put(KeyOf(3, 1), 31);
  const HandleCounts counts = cache.Counts();
  EXPECT_EQ(counts.cached, 2U);
  EXPECT_EQ(counts.hits, 1U);
  EXPECT_EQ(counts.misses, 1U);
  EXPECT_EQ(counts.displaced, 1U);
  cache.TakeVersion(KeyOf(1, 1).key, 1);
  EXPECT_EQ(cache.Counts().cached, 1U);
  cache.Clear();
  EXPECT_EQ(cache.Counts().cached, 0U);
}

}  // namespace
}  // namespace coffer::keyring
