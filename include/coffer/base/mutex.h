#pragma once

// Locks that Clang checks (-Wthread-safety): annotations say which lock guards a member, and which
// lock the caller of a function must hold. GCC ignores them. The owner of the data owns its Mutex;
// any thread may lock it. There are no errors. The classes do what std::mutex,
// std::lock_guard and std::condition_variable do; those carry no annotations in libstdc++.
// Example:
//   Mutex mutex_;
//   int count_ COFFER_GUARDED_BY(mutex_) = 0;
//   void Add() { const MutexLock lock(mutex_); ++count_; }

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define COFFER_THREAD_ANNOTATION(annotation) __attribute__((annotation))
#else
#define COFFER_THREAD_ANNOTATION(annotation)
#endif
#define COFFER_GUARDED_BY(mutex) COFFER_THREAD_ANNOTATION(guarded_by(mutex))
// The caller must hold the lock; or must not hold it.
#define COFFER_REQUIRES(mutex) COFFER_THREAD_ANNOTATION(requires_capability(mutex))
#define COFFER_EXCLUDES(mutex) COFFER_THREAD_ANNOTATION(locks_excluded(mutex))

namespace coffer {

class COFFER_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() COFFER_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void Unlock() COFFER_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

// Holds the lock to the end of its scope.
class COFFER_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) COFFER_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() COFFER_THREAD_ANNOTATION(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits for others to change what a mutex guards. A wait may end without cause, so it stands in a
// loop that looks at the guarded members.
class Condition {
 public:
  void Wait(Mutex& mutex) COFFER_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();  // the caller holds it still
  }
  // Returns false if `until` has passed.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point until) COFFER_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_until(lock, until);
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace coffer
