#include "coffer/base/progress_line.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace coffer {
namespace {

constexpr std::chrono::seconds kPatience{2};

}  // namespace

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::Show(std::int64_t done, std::int64_t total) {
  if (!terminal_ || total <= 0) return;
  const std::int64_t percent = done * 100 / total;
  if (percent == percent_) return;
  percent_ = percent;
  shown_ = true;
  std::fprintf(stderr, "\r%s: %lld %%\033[K", what_.c_str(), static_cast<long long>(percent));
  std::fflush(stderr);
}

void ProgressLine::Doing(std::string_view step) {
  if (!terminal_ || std::chrono::steady_clock::now() - begin_ < kPatience) return;
  shown_ = true;
  std::fprintf(stderr, "\r%s %.*s ...\033[K", what_.c_str(), static_cast<int>(step.size()),
               step.data());
  std::fflush(stderr);
}

void ProgressLine::Clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

}  // namespace coffer
