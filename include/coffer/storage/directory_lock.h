#pragma once

#include <filesystem>

#include "coffer/base/result.h"

namespace coffer::storage {

// An flock(2) on DIR/lock, held until destruction or the process's end, however it ends.
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
