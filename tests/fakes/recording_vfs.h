#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>

#include "fakes/power_cut_disk.h"

namespace coffer::fakes {

// SQLite's own file layer with every write, truncation and sync of a database and its WAL told to a
// PowerCutDisk, as "db" and "wal". The files are not really synced. The default layer as long as it
// lives; one at a time.
class RecordingVfs final {
 public:
  explicit RecordingVfs(PowerCutDisk& disk) : real_(::sqlite3_vfs_find(nullptr)), own_(*real_) {
    disk_ = &disk;
    own_.zName = "recording";
    own_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    own_.pAppData = real_;
    own_.pNext = nullptr;
    own_.xOpen = Open;
    if (::sqlite3_vfs_register(&own_, 1) != SQLITE_OK) throw std::runtime_error("no VFS");
  }
  ~RecordingVfs() {
    ::sqlite3_vfs_unregister(&own_);
    ::sqlite3_vfs_register(real_, 1);
    disk_ = nullptr;
  }
  RecordingVfs(const RecordingVfs&) = delete;
  RecordingVfs& operator=(const RecordingVfs&) = delete;

 private:
  // This struct stands before the real file in memory.
  struct File {
    sqlite3_file base;
    const char* name;  // null: none of the two
  };
  static sqlite3_file* Real(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
  }
  static const char* Name(sqlite3_file* file) { return reinterpret_cast<File*>(file)->name; }

  static int Open(sqlite3_vfs* own, const char* path, sqlite3_file* file, int flags, int* out) {
    auto* const real = static_cast<sqlite3_vfs*>(own->pAppData);
    auto* const ours = reinterpret_cast<File*>(file);
    ours->name = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? "db"
                 : (flags & SQLITE_OPEN_WAL) != 0   ? "wal"
                                                    : nullptr;
    const int code = real->xOpen(real, path, Real(file), flags, out);
    ours->base.pMethods = Real(file)->pMethods == nullptr ? nullptr : &kMethods;
    return code;
  }
  static int Close(sqlite3_file* file) { return Real(file)->pMethods->xClose(Real(file)); }
  static int Read(sqlite3_file* file, void* out, int octets, sqlite3_int64 offset) {
    return Real(file)->pMethods->xRead(Real(file), out, octets, offset);
  }
  static int Write(sqlite3_file* file, const void* data, int octets, sqlite3_int64 offset) {
    if (Name(file) != nullptr) {
      disk_->Write(Name(file), static_cast<std::uint64_t>(offset),
                   {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(octets)});
    }
    return Real(file)->pMethods->xWrite(Real(file), data, octets, offset);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (Name(file) != nullptr) disk_->Truncate(Name(file), static_cast<std::uint64_t>(size));
    return Real(file)->pMethods->xTruncate(Real(file), size);
  }
  static int Sync(sqlite3_file* file, int) {
    if (Name(file) != nullptr) disk_->EndSync(Name(file), disk_->BeginSync());
    return SQLITE_OK;
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* out) {
    return Real(file)->pMethods->xFileSize(Real(file), out);
  }
  static int Lock(sqlite3_file* file, int level) {
    return Real(file)->pMethods->xLock(Real(file), level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    return Real(file)->pMethods->xUnlock(Real(file), level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* out) {
    return Real(file)->pMethods->xCheckReservedLock(Real(file), out);
  }
  static int FileControl(sqlite3_file* file, int what, void* argument) {
    return Real(file)->pMethods->xFileControl(Real(file), what, argument);
  }
  static int SectorSize(sqlite3_file* file) {
    return Real(file)->pMethods->xSectorSize(Real(file));
  }
  static int Characteristics(sqlite3_file* file) {
    return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
  }
  static int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return Real(file)->pMethods->xShmMap(Real(file), page, size, extend, out);
  }
  static int ShmLock(sqlite3_file* file, int offset, int n, int flags) {
    return Real(file)->pMethods->xShmLock(Real(file), offset, n, flags);
  }
  static void ShmBarrier(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    return Real(file)->pMethods->xShmUnmap(Real(file), remove);
  }

  static constexpr sqlite3_io_methods kMethods{2,
                                               Close,
                                               Read,
                                               Write,
                                               Truncate,
                                               Sync,
                                               FileSize,
                                               Lock,
                                               Unlock,
                                               CheckReservedLock,
                                               FileControl,
                                               SectorSize,
                                               Characteristics,
                                               ShmMap,
                                               ShmLock,
                                               ShmBarrier,
                                               ShmUnmap,
                                               nullptr,
                                               nullptr};

  inline static PowerCutDisk* disk_ = nullptr;
  sqlite3_vfs* const real_;
  sqlite3_vfs own_;
};

}  // namespace coffer::fakes
