#include "coffer/base/progress_line.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace coffer {

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && shown_ >= 0) std::fputs("\r\033[K", stderr);
}

void ProgressLine::Show(std::int64_t done, std::int64_t total) {
  if (!terminal_ || total <= 0) return;
  const std::int64_t percent = done * 100 / total;
  if (percent == shown_) return;
  shown_ = percent;
  std::fprintf(stderr, "\r%s: %lld %%\033[K", what_.c_str(), static_cast<long long>(percent));
  std::fflush(stderr);
}

}  // namespace coffer
