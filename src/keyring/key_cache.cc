#include "keyring/key_cache.h"

namespace coffer::keyring {

KeyCacheShard::Hit KeyCacheShard::Get(const Id& mount, std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find({mount, name});
  if (found == index_.end()) return {nullptr, changes_};
  entries_.splice(entries_.begin(), entries_, found->second);
  return {found->second->key, changes_};
}

void KeyCacheShard::Insert(const std::shared_ptr<Key>& key) {
  for (auto& [number, version] : key->versions) {
    version.counter = counters_.try_emplace({key->id, number}, version.counter).first->second;
  }
  if (const auto found = index_.find({key->mount, key->name}); found != index_.end()) {
    found->second->key = key;
    entries_.splice(entries_.begin(), entries_, found->second);
    return;
  }
  if (index_.size() >= most_keys_) Erase(std::prev(entries_.end()));
  entries_.push_front({key->name, key});
  index_.emplace(PlaceView{key->mount, entries_.front().name}, entries_.begin());
}

void KeyCacheShard::Erase(Entries::iterator entry) {
  Release(*entry->key);
  index_.erase({entry->key->mount, entry->name});
  entries_.erase(entry);
}

void KeyCacheShard::Release(const Key& key) {
  for (const auto& [number, version] : key.versions) {
    const bool in_use = version.counter->left_in_block.load(std::memory_order_relaxed) > 0;
    if (!in_use || counters_.size() > most_counters_) counters_.erase({key.id, number});
  }
}

void KeyCacheShard::PutLoaded(const std::shared_ptr<Key>& key, Stamp stamp) {
  const std::lock_guard lock(mutex_);
  if (changes_ == stamp) Insert(key);
}

void KeyCacheShard::Publish(const std::shared_ptr<Key>& key) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  Insert(key);
}

void KeyCacheShard::Remove(const Id& mount, std::string_view name) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  if (const auto found = index_.find({mount, name}); found != index_.end()) Erase(found->second);
}

void KeyCacheShard::RemoveCounter(const Id& key, int version) {
  const std::lock_guard lock(mutex_);
  counters_.erase({key, version});
}

std::size_t KeyCacheShard::Counters() {
  const std::lock_guard lock(mutex_);
  return counters_.size();
}

}  // namespace coffer::keyring
