#include "coffer/audit/file_operations.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

namespace coffer::audit {
namespace {

int OrError(int result) { return result < 0 ? -errno : result; }
std::int64_t OrError(ssize_t result) { return result < 0 ? -errno : result; }

FileOperations::Facts FactsOf(const struct stat& found) {
  FileOperations::Facts facts;
  facts.device = found.st_dev;
  facts.inode = found.st_ino;
  facts.size = static_cast<std::uint64_t>(found.st_size);
  facts.links = found.st_nlink;
  facts.regular = S_ISREG(found.st_mode);
  return facts;
}

class System final : public FileOperations {
 public:
  int Open(const std::filesystem::path& path) override {
    // A pipe can be written to only: it has no past to go on from.
    int file = ::open(path.c_str(), kFlags | O_RDWR, 0600);
    struct stat found {};
    if (file >= 0 && ::fstat(file, &found) == 0 && S_ISFIFO(found.st_mode)) {
      ::close(file);
      file = ::open(path.c_str(), kFlags | O_WRONLY, 0600);
    }
    if (file < 0) return -errno;
    if (!S_ISREG(found.st_mode) && !S_ISFIFO(found.st_mode)) {
      ::close(file);
      return -ENODEV;
    }
    if (S_ISREG(found.st_mode) && ::flock(file, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(file);
      return -error;
    }
    return file;
  }
  void Close(int file) override { ::close(file); }
  std::int64_t Write(int file, std::string_view octets) override {
    return OrError(::write(file, octets.data(), octets.size()));
  }
  int WaitWritable(int file, std::chrono::milliseconds wait) override {
    pollfd waiting{file, POLLOUT, 0};
    return OrError(::poll(&waiting, 1, static_cast<int>(wait.count())));
  }
  std::int64_t Read(int file, std::uint64_t offset, MutableBytes out) override {
    return OrError(::pread(file, out.data(), out.size(), static_cast<off_t>(offset)));
  }
  int Sync(int file) override { return OrError(::fdatasync(file)); }
  int Inspect(int file, Facts& facts) override {
    struct stat found {};
    if (::fstat(file, &found) != 0) return -errno;
    facts = FactsOf(found);
    return 0;
  }
  int Inspect(const std::filesystem::path& path, Facts& facts) override {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return -errno;
    facts = FactsOf(found);
    return 0;
  }
  int Rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return OrError(::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE));
  }
  int SyncDirectory(const std::filesystem::path& directory) override {
    const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return -errno;
    const int done = OrError(::fsync(file));
    ::close(file);
    return done;
  }
  std::int64_t FreeSpace(int file) override {
    struct statvfs found {};
    if (::fstatvfs(file, &found) != 0) return -errno;
    return static_cast<std::int64_t>(found.f_bavail * found.f_frsize);
  }

 private:
  static constexpr int kFlags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
};

}  // namespace

FileOperations& SystemFiles() {
  static System files;
  return files;
}

}  // namespace coffer::audit
