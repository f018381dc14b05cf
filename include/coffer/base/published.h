#pragma once

// A shared immutable value that is replaced as a whole. The owner of the data owns the Published.
// Any thread may read it, and a reader keeps the value that it got; the lock is held only while a
// pointer is copied. Threads that replace the value must exclude each other themselves. There are
// no errors.
// Example: `const auto table = published.Current();`

#include <cstdint>
#include <memory>
#include <utility>

#include "coffer/base/mutex.h"

namespace coffer {

// Each value has a change number: a reader can compare it to see whether there is a newer value,
// and PublishLoaded() drops a value that is not newer than the current one.
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
  }  // the former value is destroyed with its last reader, and never under the lock
  // Publishes a value that was loaded elsewhere at this change number. False, and nothing changes,
  // if the current value is as new.
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
