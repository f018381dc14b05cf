#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "coffer/base/bytes.h"

namespace coffer::audit {

// The calls that a device makes to the operating system. Every call returns a count or a
// descriptor, or the negative error number. The real one is SystemFiles(); tests inject faults with
// another. Thread-safe.
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
  // For appending, made with mode 0600 where it is absent; never follows a symbolic link, never
  // blocks. -ENODEV for what is neither a file nor a named pipe. A regular file is locked against
  // other processes (-EWOULDBLOCK where one has it).
  virtual int Open(const std::filesystem::path& path) = 0;
  virtual void Close(int file) = 0;
  virtual std::int64_t Write(int file, std::string_view octets) = 0;
  // 1 once it can be written to, 0 after `wait`.
  virtual int WaitWritable(int file, std::chrono::milliseconds wait) = 0;
  virtual std::int64_t Read(int file, std::uint64_t offset, MutableBytes out) = 0;
  virtual int Sync(int file) = 0;
  virtual int Inspect(int file, Facts& facts) = 0;
  virtual int Inspect(const std::filesystem::path& path, Facts& facts) = 0;
  // -EEXIST where `to` is there.
  virtual int Rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual int SyncDirectory(const std::filesystem::path& directory) = 0;
  // Octets that an ordinary process may still write on the file's file system.
  virtual std::int64_t FreeSpace(int file) = 0;
};

FileOperations& SystemFiles();

}  // namespace coffer::audit
