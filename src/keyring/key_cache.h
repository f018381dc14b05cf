#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "coffer/keyring/key.h"

namespace coffer::keyring {

inline std::size_t HashOfPlace(const Id& mount, std::string_view name) noexcept {
  return IdHash{}(mount) ^ std::hash<std::string_view>{}(name);
}

// Snapshots of keys by place, least recently used ones going first, and the running counters of
// their versions. A counter outlives its snapshot while encryptions of its block are left: a key
// that was put out and comes back uses them up before it is charged with others. Thread-safe.
class KeyCacheShard {
 public:
  // What was known when a load began: a load that a change overtook is not put in.
  using Stamp = std::uint64_t;
  struct Hit {
    std::shared_ptr<const Key> key;  // null: not cached
    Stamp stamp = 0;
  };
  // Counters of snapshots that are gone are kept up to `counters`; those beyond burn their block.
  KeyCacheShard(std::size_t keys, std::size_t counters)
      : most_keys_(keys), most_counters_(counters) {}

  Hit Get(const Id& mount, std::string_view name);
  // Both give the key's versions the running counters before anyone else sees it.
  void PutLoaded(const std::shared_ptr<Key>& key, Stamp stamp);
  void Publish(const std::shared_ptr<Key>& key);
  // The key's rows are to be read again, if there are any.
  void Remove(const Id& mount, std::string_view name);
  // The version was destroyed.
  void RemoveCounter(const Id& key, int version);
  std::size_t Counters();

 private:
  struct PlaceView {
    Id mount;
    std::string_view name;  // of the entry that the index leads to, or of a call's argument
    friend bool operator==(const PlaceView&, const PlaceView&) = default;
  };
  struct PlaceHash {
    std::size_t operator()(const PlaceView& place) const noexcept {
      return HashOfPlace(place.mount, place.name);
    }
  };
  struct Entry {
    std::string name;  // its own: the index outlasts a snapshot
    std::shared_ptr<const Key> key;
  };
  using Entries = std::list<Entry>;
  struct VersionId {
    Id key;
    int version = 0;
    friend bool operator==(const VersionId&, const VersionId&) = default;
  };
  struct VersionHash {
    std::size_t operator()(const VersionId& id) const noexcept {
      return IdHash{}(id.key) ^ (static_cast<std::size_t>(id.version) * 0x9e3779b97f4a7c15U);
    }
  };

  void Insert(const std::shared_ptr<Key>& key);
  void Erase(Entries::iterator entry);
  // Drops the counters of a snapshot that goes, but for blocks that are worth keeping.
  void Release(const Key& key);

  const std::size_t most_keys_;
  const std::size_t most_counters_;
  std::mutex mutex_;
  Entries entries_;  // most recently used first
  std::unordered_map<PlaceView, Entries::iterator, PlaceHash> index_;
  // Of every version that is cached, and of others with a block in use.
  std::unordered_map<VersionId, std::shared_ptr<EncryptionCounter>, VersionHash> counters_;
  Stamp changes_ = 0;
};

// All of a key ring's snapshots, in shards so that look-ups of different keys do not meet.
// Thread-safe.
class KeyCache {
 public:
  KeyCacheShard& ShardOf(const Id& mount, std::string_view name) {
    return shards_[HashOfPlace(mount, name) % kShards];
  }

 private:
  static constexpr std::size_t kShards = 64;
  static constexpr std::size_t kKeysPerShard = 4096;
  // Some 120 octets each.
  static constexpr std::size_t kCountersPerShard = 65'536;
  struct Shard : KeyCacheShard {
    Shard() : KeyCacheShard(kKeysPerShard, kCountersPerShard) {}
  };
  std::array<Shard, kShards> shards_;
};

}  // namespace coffer::keyring
