#pragma once

#include <filesystem>

#include "coffer/base/result.h"

namespace coffer::storage {

// The lock of a data directory, so that only one process works on it: an flock(2) on DIR/lock. The
// object holds it until its destruction; the kernel frees it when the process ends. One thread.
class DirectoryLock {
 public:
  // kConflict with "data directory DIR is in use by process N" when another process holds it.
  static Result<DirectoryLock> Acquire(const std::filesystem::path& directory);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace coffer::storage
