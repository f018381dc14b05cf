#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "coffer/base/mutex.h"
#include "coffer/keyring/key.h"

namespace coffer::keyring {

// Returns a snapshot's memory, the cache's own part included. Measured with jemalloc; a little
// above what the allocator hands out.
std::size_t BytesHeld(const Key& key);

// The cache holds snapshots of keys by mount and name, and the running counters of their versions.
// The least recently used snapshots are dropped first. A counter outlives its snapshot while
// encryptions of its block are left: a key that was put out and comes back uses them up before it
// is charged with others. Thread-safe.
class KeyCache {
 public:
  // A stamp says how many changes were known when a load began. A load that a change overtook is
  // not put into the cache.
  using Stamp = std::uint64_t;
  struct Hit {
    std::shared_ptr<const Key> key;  // null: not cached
    Stamp stamp = 0;
  };
  // `bytes`: what the snapshots may hold together; a snapshot that is larger than that is kept
  // alone. Up to `counters` counters of dropped snapshots are kept; for any further one the rest of
  // its block is lost.
  KeyCache(std::size_t bytes, std::size_t counters)
      : most_bytes_(bytes), most_counters_(counters) {}

  Hit Get(const Id& mount, std::string_view name);
  // Both functions give the key's versions the running counters before another thread sees the key.
  void PutLoaded(const std::shared_ptr<Key>& key, Stamp stamp);
  void Publish(const std::shared_ptr<Key>& key);
  // Drops the key's snapshot, so that its rows are read again.
  void Remove(const Id& mount, std::string_view name);
  // Drops the counter of a version that was destroyed.
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
      return IdHash{}(place.mount) ^ std::hash<std::string_view>{}(place.name);
    }
  };
  struct Entry {
    std::string name;  // its own: the index outlasts a snapshot
    std::shared_ptr<const Key> key;
    std::size_t bytes = 0;
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

  void Insert(const std::shared_ptr<Key>& key) COFFER_REQUIRES(mutex_);
  void Erase(Entries::iterator entry) COFFER_REQUIRES(mutex_);
  // Drops the counters of a snapshot that goes, but for blocks that are worth keeping.
  void Release(const Key& key) COFFER_REQUIRES(mutex_);

  const std::size_t most_bytes_;
  const std::size_t most_counters_;
  Mutex mutex_;
  std::size_t bytes_ COFFER_GUARDED_BY(mutex_) = 0;  // of all entries
  Entries entries_ COFFER_GUARDED_BY(mutex_);        // most recently used first
  std::unordered_map<PlaceView, Entries::iterator, PlaceHash> index_ COFFER_GUARDED_BY(mutex_);
  // The counters of every cached version, and of other versions that still have a block in use.
  std::unordered_map<VersionId, std::shared_ptr<EncryptionCounter>, VersionHash> counters_
      COFFER_GUARDED_BY(mutex_);
  Stamp changes_ COFFER_GUARDED_BY(mutex_) = 0;
};

}  // namespace coffer::keyring
