#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "coffer/base/mutex.h"

namespace coffer {

// The newest of a row of immutable values: readers take the whole of it, and whoever changes it
// makes a new one and publishes that. Each value has a change number, so that a reader knows
// whether there is a newer one, and a value that was loaded from elsewhere while a newer one was
// published is dropped. Any thread; the lock is held for a copy of a pointer. Those who change it
// agree among themselves who comes first.
template <typename T>
class Published {
 public:
  using Pointer = std::shared_ptr<const T>;
  explicit Published(Pointer first = std::make_shared<const T>()) : value_(std::move(first)) {}

  Pointer Current() const {
    const MutexLock lock(mutex_);
    return value_;
  }
  // The number of the current value's change.
  std::uint64_t Change() const {
    const MutexLock lock(mutex_);
    return change_;
  }
  void Publish(Pointer next) {
    const MutexLock lock(mutex_);
    ++change_;
    value_.swap(next);
  }  // the former value goes with its last reader, and never under the lock
  // Publishes what was loaded at this change number, unless there is a value as new already.
  bool PublishLoaded(Pointer loaded, std::uint64_t change) {
    const MutexLock lock(mutex_);
    if (change <= change_) return false;
    change_ = change;
    value_.swap(loaded);
    return true;
  }

 private:
  mutable Mutex mutex_;
  Pointer value_ COFFER_GUARDED_BY(mutex_);
  std::uint64_t change_ COFFER_GUARDED_BY(mutex_) = 0;
};

}  // namespace coffer
