#include "coffer/base/standard_output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace coffer {
namespace {

Status Lost(int why) {
  return Fail(Code::kUnavailable,
              "failed to write to standard output" +
                  (why == 0 ? std::string() : ": " + std::string(std::strerror(why))));
}

}  // namespace

Status FlushOutput() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  // A write that failed earlier left its mark, its reason is gone.
  if (!flushed || std::ferror(stdout) != 0) return Lost(flushed ? 0 : errno);
  return {};
}

Status SyncOutput() {
  COFFER_TRY(FlushOutput());
  // Pipes, terminals and some file systems have nothing to wait for.
  if (::fsync(STDOUT_FILENO) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) {
    return Lost(errno);
  }
  return {};
}

}  // namespace coffer
