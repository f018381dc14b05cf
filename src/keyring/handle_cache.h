#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>

#include "coffer/base/ids.h"
#include "coffer/keyring/token.h"

namespace coffer::keyring {

// Which unwrapped session object stands for a key's version on one instance.
struct HandleKey {
  Id key;
  int version = 0;
  friend bool operator==(const HandleKey&, const HandleKey&) = default;
};

// Least recently used handles of one token instance. Used by the instance's thread only.
class HandleCache {
 public:
  explicit HandleCache(std::size_t capacity) : capacity_(capacity) {}

  std::optional<TokenHandle> Get(const HandleKey& key);
  // The handle that had to make room, if any: the caller destroys it.
  std::optional<TokenHandle> Put(const HandleKey& key, TokenHandle handle);
  std::optional<TokenHandle> Take(const HandleKey& key);
  void Clear();

 private:
  struct Hash {
    std::size_t operator()(const HandleKey& key) const noexcept {
      return IdHash{}(key.key) ^ (static_cast<std::size_t>(key.version) * 0x9e3779b97f4a7c15U);
    }
  };
  struct Entry {
    HandleKey key;
    TokenHandle handle;
  };
  std::size_t capacity_;
  std::list<Entry> order_;  // most recent first
  std::unordered_map<HandleKey, std::list<Entry>::iterator, Hash> index_;
};

}  // namespace coffer::keyring
