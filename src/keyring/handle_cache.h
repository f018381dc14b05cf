#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "coffer/base/counters.h"
#include "coffer/base/ids.h"
#include "coffer/crypto/digest.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token.h"

namespace coffer::keyring {

// The name of a session object that stands for a key's version on one token instance: an unwrapped
// object for each use, or one derived for a context.
struct HandleKey {
  Id key;
  int version = 0;
  Use use = Use::kCipher;
  std::optional<DerivedUse> derived;
  crypto::Sha256Digest context{};  // of the context; zeros where nothing is derived
  friend bool operator==(const HandleKey&, const HandleKey&) = default;
};

// Least recently used handles of one token instance. Used by the instance's thread only, but for
// Counts().
class HandleCache {
 public:
  explicit HandleCache(std::size_t capacity) : capacity_(capacity) {}

  std::optional<TokenHandle> Get(const HandleKey& key);
  // The handle that had to make room, if any: the caller destroys it.
  std::optional<TokenHandle> Put(const HandleKey& key, TokenHandle handle);
  // Removes and returns every handle of the version, for every use and context.
  std::vector<TokenHandle> TakeVersion(const Id& key, int version);
  void Clear();
  // Any thread.
  HandleCounts Counts() const;

 private:
  struct Hash {
    std::size_t operator()(const HandleKey& key) const noexcept {
      std::size_t context = 0;
      std::memcpy(&context, key.context.data(), sizeof(context));
      const auto number =
          static_cast<std::size_t>(key.version) * 8 + static_cast<std::size_t>(key.use);
      return IdHash{}(key.key) ^ (number * 0x9e3779b97f4a7c15U) ^ context;
    }
  };
  struct Entry {
    HandleKey key;
    TokenHandle handle;
  };
  std::optional<TokenHandle> Take(const HandleKey& key);
  void NoteSize() { size_.store(index_.size(), std::memory_order_relaxed); }

  std::size_t capacity_;
  std::size_t derived_ = 0;  // entries with a context
  std::list<Entry> order_;   // most recent first
  std::unordered_map<HandleKey, std::list<Entry>::iterator, Hash> index_;
  std::atomic<std::uint64_t> size_{0};  // of index_, for other threads
  Counter hits_;
  Counter misses_;
  Counter displaced_;
};

}  // namespace coffer::keyring
