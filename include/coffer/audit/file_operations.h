#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "coffer/base/bytes.h"

namespace coffer::audit {

// The calls that an audit device makes to the operating system. SystemFiles() is the real one and
// lives as long as the program; a test makes its own and injects faults. Every call returns a count
// or a descriptor, or the negative error number. Thread-safe.
class FileOperations {
 public:
  struct Facts {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::uint64_t links = 0;
    bool regular = false;
  };

  virtual ~FileOperations() = default;
  // Opens for appending, and makes the file with mode 0600 if it is absent; never follows a
  // symbolic link, never blocks. -ENODEV if it is neither a file nor a named pipe. A regular file
  // is locked against other processes (-EWOULDBLOCK if one has the lock).
  virtual int Open(const std::filesystem::path& path) = 0;
  virtual void Close(int file) = 0;
  virtual std::int64_t Write(int file, std::string_view octets) = 0;
  // Returns 1 once the file can be written to, 0 after `wait`.
  virtual int WaitWritable(int file, std::chrono::milliseconds wait) = 0;
  virtual std::int64_t Read(int file, std::uint64_t offset, MutableBytes out) = 0;
  virtual int Sync(int file) = 0;
  virtual int Inspect(int file, Facts& facts) = 0;
  virtual int Inspect(const std::filesystem::path& path, Facts& facts) = 0;
  // -EEXIST if `to` exists.
  virtual int Rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual int SyncDirectory(const std::filesystem::path& directory) = 0;
  // The bytes that an ordinary process may still write on the file system of the file.
  virtual std::int64_t FreeSpace(int file) = 0;
};

FileOperations& SystemFiles();

}  // namespace coffer::audit
