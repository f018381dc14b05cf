#include "keyring/key_cache.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>

#include "coffer/crypto/system_random.h"

namespace coffer::keyring {
namespace {

class KeyCacheTest : public ::testing::Test {
 protected:
  // A snapshot as one is read from the database: its counters have nothing left.
  std::shared_ptr<Key> Snapshot(const std::string& name, int versions = 1) {
    auto key = std::make_shared<Key>();
    key->id = IdOf(name);
    key->mount = mount_;
    key->name = name;
    key->latest_version = versions;
    for (int number = 1; number <= versions; ++number) {
      KeyVersion version;
      version.info.version = number;
      version.counter = std::make_shared<EncryptionCounter>();
      key->versions.emplace(number, std::move(version));
    }
    return key;
  }
  static Id IdOf(const std::string& name) {
    Id id{};
    std::copy_n(name.begin(), std::min(name.size(), id.octets.size()), id.octets.begin());
    return id;
  }
  std::shared_ptr<Key> Publish(const std::string& name, int versions = 1) {
    auto key = Snapshot(name, versions);
    cache_.Publish(key);
    return key;
  }
  std::shared_ptr<Key> Load(const std::string& name, int versions = 1) {
    auto key = Snapshot(name, versions);
    cache_.PutLoaded(key, cache_.Get(mount_, name).stamp);
    return key;
  }
  bool Has(const std::string& name) { return cache_.Get(mount_, name).key != nullptr; }
  static EncryptionCounter& CounterOf(const std::shared_ptr<Key>& key, int version = 1) {
    return *key->versions.at(version).counter;
  }
  // Puts other keys into the cache until `name` was dropped.
  void PutOut(const std::string& name) {
    for (int i = 0; i < 3; ++i) Publish("other-than-" + name + std::to_string(i));
    ASSERT_FALSE(Has(name));
  }

  crypto::SystemRandom random_;
  Id mount_ = Id::Generate(random_);
  // Three keys of one version, and four counters of others.
  KeyCache cache_{3500, 4};
};

TEST_F(KeyCacheTest, TheLeastRecentlyUsedKeyMakesRoom) {
  for (const char* const name : {"a", "b", "c"}) Publish(name);
  EXPECT_TRUE(Has("a"));
  Publish("d");
  EXPECT_FALSE(Has("b"));
  for (const char* const name : {"c", "d", "a"}) EXPECT_TRUE(Has(name)) << name;
  Publish("e");
  EXPECT_FALSE(Has("c"));
  for (const char* const name : {"d", "a", "e"}) EXPECT_TRUE(Has(name)) << name;
}

TEST_F(KeyCacheTest, AKeyInUseStaysHoweverManyOthersCome) {
  Publish("used");
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(Has("used"));
    Publish(std::to_string(i));
  }
}

TEST_F(KeyCacheTest, AnotherSnapshotOfACachedKeyPutsNobodyOut) {
  for (const char* const name : {"a", "b", "c"}) Publish(name);
  for (const char* const name : {"c", "a", "b"}) {
    const auto newer = Publish(name);
    EXPECT_EQ(cache_.Get(mount_, name).key, newer);
  }
  for (const char* const name : {"a", "b", "c"}) EXPECT_TRUE(Has(name)) << name;
}

TEST_F(KeyCacheTest, AKeyThatGrowsPutsOthersOut) {
  for (const char* const name : {"a", "b", "c"}) Publish(name);
  Publish("c", 3);
  EXPECT_FALSE(Has("a"));
  EXPECT_TRUE(Has("b"));
  Publish("c", 100);
  EXPECT_FALSE(Has("b"));
  EXPECT_TRUE(Has("c")) << "a key that holds more than all may is alone";
  Publish("d");
  EXPECT_FALSE(Has("c"));
  for (const char* const name : {"e", "f"}) Publish(name);
  for (const char* const name : {"d", "e", "f"}) EXPECT_TRUE(Has(name)) << name;
}

TEST_F(KeyCacheTest, ALoadThatAChangeOvertookIsNotPutIn) {
  const auto stamp = cache_.Get(mount_, "a").stamp;
  const auto old = Snapshot("a");
  const auto newer = Publish("a", 2);
  cache_.PutLoaded(old, stamp);
  EXPECT_EQ(cache_.Get(mount_, "a").key, newer);
  cache_.Remove(mount_, "a");
  cache_.PutLoaded(old, stamp);
  EXPECT_FALSE(Has("a"));
}

TEST_F(KeyCacheTest, AKeyThatComesBackGoesOnWithItsBlock) {
  const auto before = Load("k", 2);
  CounterOf(before, 2).left_in_block.store(1000);
  PutOut("k");
  const auto after = Load("k", 2);
  EXPECT_EQ(&CounterOf(after, 2), &CounterOf(before, 2));
  // A thread that still holds the former snapshot takes from the same block.
  CounterOf(before, 2).left_in_block.fetch_sub(1);
  EXPECT_EQ(CounterOf(after, 2).left_in_block.load(), 999);
}

TEST_F(KeyCacheTest, ANewSnapshotGoesOnWithTheBlocksOfItsVersions) {
  const auto before = Load("k");
  CounterOf(before).left_in_block.store(1000);
  EXPECT_EQ(CounterOf(Publish("k", 2)).left_in_block.load(), 1000);
  // The block is also kept if the key is not cached when the new snapshot is published.
  cache_.Remove(mount_, "k");
  EXPECT_EQ(CounterOf(Publish("k", 3)).left_in_block.load(), 1000);
}

TEST_F(KeyCacheTest, TwoLoadsOfOneKeyShareItsCounters) {
  const auto stamp = cache_.Get(mount_, "k").stamp;
  const auto first = Snapshot("k");
  const auto second = Snapshot("k");
  cache_.PutLoaded(first, stamp);
  cache_.PutLoaded(second, stamp);
  EXPECT_EQ(&CounterOf(first), &CounterOf(second));
}

TEST_F(KeyCacheTest, CountersWithoutAnyLeftGoWithTheirSnapshot) {
  Load("k", 50);
  PutOut("k");
  EXPECT_EQ(cache_.Counters(), 3U) << "those of the three that are cached";
}

TEST_F(KeyCacheTest, ADestroyedVersionsCounterGoesWithIt) {
  const auto before = Load("k");
  CounterOf(before).left_in_block.store(1000);
  cache_.RemoveCounter(before->id, 1);
  cache_.Remove(mount_, "k");
  EXPECT_EQ(cache_.Counters(), 0U);
  EXPECT_EQ(CounterOf(Load("k")).left_in_block.load(), 0);
}

TEST_F(KeyCacheTest, TheBlocksOfKeysThatAreOutAreBounded) {
  for (int i = 0; i < 1000; ++i) {
    CounterOf(Load(std::to_string(i))).left_in_block.store(1000);
  }
  EXPECT_LE(cache_.Counters(), 3U + 4U);
}

}  // namespace
}  // namespace coffer::keyring
