#include "storage/database_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace coffer::storage {
namespace {

constexpr mode_t kOwnerOnly = 0600;

}  // namespace

tl::unexpected<Error> FailWithErrno(const std::string& doing) {
  const int reason = errno;
  std::string why = "failed to " + doing + ": " + std::generic_category().message(reason);
  if (reason == ENOSPC || reason == EDQUOT) {
    return Fail(Code::kUnavailable,
                "storage is full: free space on the data directory's file system and try again",
                std::move(why));
  }
  return Fail(Code::kInternal, std::move(why));
}

Status SyncPath(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (!synced) {
    auto failure = FailWithErrno("sync " + path.string());
    if (fd >= 0) ::close(fd);
    return failure;
  }
  ::close(fd);
  return {};
}

Status MakeNewFile(const std::filesystem::path& file) {
  const int fd =
      ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly);
  if (fd >= 0) {
    ::close(fd);
    return {};
  }
  if (errno == EEXIST) return Fail(Code::kConflict, "there is a file of this name already");
  return FailWithErrno("create " + file.string());
}

Status PrepareDatabaseFile(const std::filesystem::path& file) {
  // An existing file is not opened: closing any descriptor of it would drop the POSIX locks of a
  // connection that this process has to it.
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
  if (fd >= 0) {
    ::close(fd);
    COFFER_TRY(SyncPath(std::filesystem::absolute(file).parent_path()));
  } else if (errno != EEXIST) {
    return FailWithErrno("create database " + file.string());
  }
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string path = file.string() + suffix;
    if (::chmod(path.c_str(), kOwnerOnly) != 0 && errno != ENOENT) {
      return FailWithErrno("set the mode of " + path);
    }
  }
  return {};
}

}  // namespace coffer::storage
