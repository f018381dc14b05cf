#include "keyring/handle_cache.h"

namespace coffer::keyring {

std::optional<TokenHandle> HandleCache::Get(const HandleKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->handle;
}

std::optional<TokenHandle> HandleCache::Put(const HandleKey& key, TokenHandle handle) {
  std::optional<TokenHandle> displaced = Take(key);
  if (!displaced && index_.size() >= capacity_) {
    displaced = order_.back().handle;
    index_.erase(order_.back().key);
    order_.pop_back();
  }
  order_.push_front({key, handle});
  index_.emplace(key, order_.begin());
  return displaced;
}

std::optional<TokenHandle> HandleCache::Take(const HandleKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  const TokenHandle handle = found->second->handle;
  order_.erase(found->second);
  index_.erase(found);
  return handle;
}

void HandleCache::Clear() {
  index_.clear();
  order_.clear();
}

}  // namespace coffer::keyring
