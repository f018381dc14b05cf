#include "keyring/key_cache.h"

namespace coffer::keyring {
namespace {

// The bytes of a key without its versions: the key, its place in the cache and its name twice.
constexpr std::size_t kKeyBytes = 600;
// The bytes of a version: its node, its counter and the counter's place in the cache.
constexpr std::size_t kVersionBytes = 352;
// The bytes that OpenSSL keeps for a public key that it has parsed.
constexpr std::size_t kPublicKeyBytes = 2304;

}  // namespace

std::size_t BytesHeld(const Key& key) {
  std::size_t bytes = kKeyBytes + 2 * key.name.size();
  for (const auto& [number, version] : key.versions) {
    bytes += kVersionBytes + version.blob.size() + version.hmac_blob.size() +
             version.info.created_by.size() + version.info.reason.size();
    if (version.public_key) bytes += kPublicKeyBytes + 2 * version.spki.size();
  }
  return bytes;
}

KeyCache::Hit KeyCache::Get(const Id& mount, std::string_view name) {
  const MutexLock lock(mutex_);
  const auto found = index_.find({mount, name});
  if (found == index_.end()) return {nullptr, changes_};
  entries_.splice(entries_.begin(), entries_, found->second);
  return {found->second->key, changes_};
}

void KeyCache::Insert(const std::shared_ptr<Key>& key) {
  for (auto& [number, version] : key->versions) {
    version.counter = counters_.try_emplace({key->id, number}, version.counter).first->second;
  }
  const std::size_t bytes = BytesHeld(*key);
  if (const auto found = index_.find({key->mount, key->name}); found != index_.end()) {
    Entry& entry = *found->second;
    bytes_ += bytes - entry.bytes;
    entry.key = key;
    entry.bytes = bytes;
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    entries_.push_front({key->name, key, bytes});
    index_.emplace(PlaceView{key->mount, entries_.front().name}, entries_.begin());
    bytes_ += bytes;
  }
  while (bytes_ > most_bytes_ && entries_.size() > 1) Erase(std::prev(entries_.end()));
}

void KeyCache::Erase(Entries::iterator entry) {
  Release(*entry->key);
  bytes_ -= entry->bytes;
  index_.erase({entry->key->mount, entry->name});
  entries_.erase(entry);
}

void KeyCache::Release(const Key& key) {
  for (const auto& [number, version] : key.versions) {
    const bool in_use = version.counter->left_in_block.load(std::memory_order_relaxed) > 0;
    if (!in_use || counters_.size() > most_counters_) counters_.erase({key.id, number});
  }
}

void KeyCache::PutLoaded(const std::shared_ptr<Key>& key, Stamp stamp) {
  const MutexLock lock(mutex_);
  if (changes_ == stamp) Insert(key);
}

void KeyCache::Publish(const std::shared_ptr<Key>& key) {
  const MutexLock lock(mutex_);
  ++changes_;
  Insert(key);
}

void KeyCache::Remove(const Id& mount, std::string_view name) {
  const MutexLock lock(mutex_);
  ++changes_;
  if (const auto found = index_.find({mount, name}); found != index_.end()) Erase(found->second);
}

void KeyCache::RemoveCounter(const Id& key, int version) {
  const MutexLock lock(mutex_);
  counters_.erase({key, version});
}

std::size_t KeyCache::Counters() {
  const MutexLock lock(mutex_);
  return counters_.size();
}

}  // namespace coffer::keyring
