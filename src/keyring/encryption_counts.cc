#include "keyring/encryption_counts.h"

#include <algorithm>
#include <atomic>

#include "keyring/keyring_store.h"

namespace coffer::keyring {
namespace {

bool TakeFromBlock(EncryptionCounter& counter, std::int64_t count) {
  std::int64_t left = counter.left_in_block.load(std::memory_order_relaxed);
  while (left >= count) {
    if (counter.left_in_block.compare_exchange_weak(left, left - count,
                                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Status EncryptionCounts::Reserve(const Key& key, const KeyVersion& version, std::int64_t count) {
  EncryptionCounter& counter = *version.counter;
  if (TakeFromBlock(counter, count)) return {};
  const MutexLock lock(mutex_);
  while (!TakeFromBlock(counter, count)) {
    COFFER_ASSIGN(const store::Reserved reserved,
                  store::ReserveEncryptions(database_, key.id, version.info.version,
                                            std::max(kCountBlock, count), kRefuseAt));
    if (reserved.granted == 0) {
      return Fail(Refusal::kVersionExhausted, {.given = version.info.version});
    }
    counter.reserved.store(reserved.mark);
    counter.left_in_block.fetch_add(reserved.granted);
    if (reserved.mark >= kRotateAt && version.info.version == key.latest_version) on_limit_(key);
  }
  return {};
}

}  // namespace coffer::keyring
