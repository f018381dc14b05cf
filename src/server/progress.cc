#include "server/progress.h"

#include <unistd.h>

#include <cstdio>

namespace coffer::server {
namespace {

constexpr std::chrono::seconds kPatience{2};
constexpr const char* kClearLine = "\r\033[K";

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::Done() {
  if (shown_) std::fputs(kClearLine, stderr);
  shown_ = false;
}

void Progress::Doing(std::string_view what) {
  if (!terminal_ || std::chrono::steady_clock::now() - begin_ < kPatience) return;
  shown_ = true;
  std::fprintf(stderr, "%s%.*s ...", kClearLine, static_cast<int>(what.size()), what.data());
  std::fflush(stderr);
}

}  // namespace coffer::server
