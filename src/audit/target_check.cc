#include "coffer/audit/target_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "audit/file_device.h"
#include "audit/stream_operations.h"
#include "coffer/audit/file_operations.h"

namespace coffer::audit {
namespace {

auto Failed(const DeviceSettings& settings, Code code, const std::string& why) {
  return Fail(code, "failed to write " + TargetName(settings) + ": " + why);
}

auto Failed(const DeviceSettings& settings, int error) {
  return Failed(settings, Code::kUnavailable, std::strerror(error));
}

Status CheckFile(const DeviceSettings& settings) {
  const std::string file = settings.file.string();
  struct stat found {};
  if (::lstat(file.c_str(), &found) != 0) {
    if (errno != ENOENT) return Failed(settings, errno);
    const std::string directory = settings.file.parent_path().string();
    return ::access(directory.c_str(), W_OK | X_OK) == 0 ? Status{} : Failed(settings, errno);
  }
  if (S_ISLNK(found.st_mode)) return Failed(settings, Code::kInvalid, "it is a symbolic link");
  const bool pipe = S_ISFIFO(found.st_mode);
  if (!pipe && !S_ISREG(found.st_mode)) {
    return Failed(settings, Code::kInvalid, "it is neither a file nor a named pipe");
  }
  // Nothing is written: opening a pipe for writing already shows if it has a reader.
  const int opened =
      ::open(file.c_str(), (pipe ? O_WRONLY : O_RDWR) | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (opened < 0) {
    if (pipe && errno == ENXIO) {
      return Failed(settings, Code::kUnavailable, "nobody reads the pipe");
    }
    return Failed(settings, errno);
  }
  const Status fits =
      pipe ? Status{}
           : FileDevice::CheckEnd(SystemFiles(), opened, static_cast<std::uint64_t>(found.st_size));
  ::close(opened);
  return fits ? Status{} : Failed(settings, fits.error().code, fits.error().message);
}

}  // namespace

Status CheckTarget(const DeviceSettings& settings) {
  if (settings.type == DeviceType::kFile) return CheckFile(settings);
  const auto streams = OpenStreams(settings, STDOUT_FILENO);
  const int opened = streams->Open({});
  if (opened < 0) return Failed(settings, -opened);
  streams->Close(opened);
  return {};
}

}  // namespace coffer::audit
