#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "coffer/base/mutex.h"
#include "coffer/base/result.h"
#include "coffer/keyring/key.h"
#include "coffer/storage/database.h"

namespace coffer::keyring {

// Encryptions charged at once; a crash over-counts by at most this.
inline constexpr std::int64_t kCountBlock = 65'536;
inline constexpr std::int64_t kRotateAt = std::int64_t{1} << 30;
inline constexpr std::int64_t kRefuseAt = std::int64_t{1} << 32;

// Charges versions with their encryptions, before these are made: in blocks, each one commit. Any
// thread.
class EncryptionCounts {
 public:
  explicit EncryptionCounts(storage::Database& database) : database_(database) {}
  // Set before the first use: called, on any thread, for a latest version that has used up what one
  // key may encrypt.
  void OnLimit(std::function<void(const Key& key)> on_limit) { on_limit_ = std::move(on_limit); }
  // kVersionExhausted where the version may encrypt no more.
  Status Reserve(const Key& key, const KeyVersion& version, std::int64_t count);

 private:
  storage::Database& database_;
  std::function<void(const Key& key)> on_limit_;
  Mutex mutex_;  // one reservation at a time
};

}  // namespace coffer::keyring
