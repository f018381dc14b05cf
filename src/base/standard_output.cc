#include "coffer/base/standard_output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace coffer {
namespace {

// The stream itself remembers only that there was one. One thread prints.
int first_failure = 0;

Status Lost(int why) {
  return Fail(Code::kUnavailable,
              "failed to write to standard output" +
                  (why == 0 ? std::string() : ": " + std::string(std::strerror(why))));
}

}  // namespace

void PrintOutput(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() && first_failure == 0) {
    first_failure = errno;
  }
}

Status FlushOutput() {
  const bool flushed = std::fflush(stdout) == 0;
  if (!flushed && first_failure == 0) first_failure = errno;
  return flushed && std::ferror(stdout) == 0 ? Status{} : Lost(first_failure);
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
