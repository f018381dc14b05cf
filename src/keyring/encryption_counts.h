#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "coffer/base/mutex.h"
#include "coffer/base/result.h"
#include "coffer/keyring/key.h"
#include "coffer/storage/database.h"

namespace coffer::keyring {

// The encryptions that one commit counts; a crash counts at most so many too many.
inline constexpr std::int64_t kCountBlock = 65'536;
inline constexpr std::int64_t kRotateAt = std::int64_t{1} << 30;
inline constexpr std::int64_t kRefuseAt = std::int64_t{1} << 32;

// Counts the encryptions of versions before they are made, in blocks of kCountBlock, each with one
// commit. Any thread.
class EncryptionCounts {
 public:
  explicit EncryptionCounts(storage::Database& database) : database_(database) {}
  // Sets the function that is called, on any thread, if the latest version of a key has reached
  // kRotateAt. Call it before the first use.
  void OnLimit(std::function<void(const Key& key)> on_limit) { on_limit_ = std::move(on_limit); }
  // kVersionExhausted where the version may encrypt no more.
  Status Reserve(const Key& key, const KeyVersion& version, std::int64_t count);

 private:
  storage::Database& database_;
  std::function<void(const Key& key)> on_limit_;
  Mutex mutex_;  // one reservation at a time
};

}  // namespace coffer::keyring
