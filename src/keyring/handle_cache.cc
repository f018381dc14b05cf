#include "keyring/handle_cache.h"

namespace coffer::keyring {

std::optional<TokenHandle> HandleCache::Get(const HandleKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) {
    misses_.Add();
    return std::nullopt;
  }
  hits_.Add();
  order_.splice(order_.begin(), order_, found->second);
  return found->second->handle;
}

std::optional<TokenHandle> HandleCache::Put(const HandleKey& key, TokenHandle handle) {
  std::optional<TokenHandle> displaced = Take(key);
  if (!displaced && index_.size() >= capacity_) {
    displaced = Take(HandleKey(order_.back().key));
    displaced_.Add();
  }
  order_.push_front({key, handle});
  index_.emplace(key, order_.begin());
  if (key.derived) ++derived_;
  NoteSize();
  return displaced;
}

std::optional<TokenHandle> HandleCache::Take(const HandleKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  const TokenHandle handle = found->second->handle;
  if (key.derived) --derived_;
  order_.erase(found->second);
  index_.erase(found);
  NoteSize();
  return handle;
}

std::vector<TokenHandle> HandleCache::TakeVersion(const Id& key, int version) {
  std::vector<TokenHandle> taken;
  for (const Use use :
       {Use::kCipher, Use::kSign, Use::kHmac, Use::kCmac, Use::kDerive, Use::kAgree}) {
    if (const auto handle = Take({key, version, use, std::nullopt, {}})) taken.push_back(*handle);
  }
  // The contexts of derived handles are not known here, so all entries are looked through.
  if (derived_ == 0) return taken;
  std::vector<HandleKey> keys;
  for (const Entry& entry : order_) {
    if (entry.key.derived && entry.key.key == key && entry.key.version == version) {
      keys.push_back(entry.key);
    }
  }
  for (const HandleKey& gone : keys) taken.push_back(*Take(gone));
  return taken;
}

void HandleCache::Clear() {
  index_.clear();
  order_.clear();
  derived_ = 0;
  NoteSize();
}

HandleCounts HandleCache::Counts() const {
  return {size_.load(std::memory_order_relaxed), hits_.Value(), misses_.Value(),
          displaced_.Value()};
}

}  // namespace coffer::keyring
