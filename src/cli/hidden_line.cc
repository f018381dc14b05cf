#include "cli/hidden_line.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace coffer::cli {
namespace {

constexpr std::size_t kMost = 64UL * 1024;
constexpr std::array kEndings{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile std::sig_atomic_t signal_that_came = 0;

void Remember(int signal) { signal_that_came = signal; }

// Turns the terminal's echo off while it lives. Signals that would end the program are delivered
// only within Wait().
class Silence {
 public:
  Silence() {
    signal_that_came = 0;
    sigset_t endings;
    ::sigemptyset(&endings);
    struct sigaction remembering {};
    remembering.sa_handler = &Remember;
    for (std::size_t i = 0; i < kEndings.size(); ++i) {
      ::sigaddset(&endings, kEndings[i]);
      ::sigaction(kEndings[i], &remembering, &former_[i]);
    }
    ::sigprocmask(SIG_BLOCK, &endings, &mask_);
    ::tcgetattr(STDIN_FILENO, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  // A signal that came meanwhile is raised again, and does now what it would have done.
  ~Silence() {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::fputc('\n', stderr);
    for (std::size_t i = 0; i < kEndings.size(); ++i) {
      ::sigaction(kEndings[i], &former_[i], nullptr);
    }
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
    if (signal_that_came != 0) std::raise(signal_that_came);
  }
  // Waits until there is something to read; false if a signal came instead.
  bool Wait() const {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (signal_that_came == 0) {
      if (::ppoll(&input, 1, nullptr, &mask_) > 0) return true;
      if (errno != EINTR) return false;
    }
    return false;
  }

 private:
  termios before_{};
  sigset_t mask_{};
  std::array<struct sigaction, kEndings.size()> former_{};
};

std::string ReadLine(const Silence& silence) {
  std::string line;
  char c = 0;
  while (line.size() < kMost && silence.Wait()) {
    if (::read(STDIN_FILENO, &c, 1) != 1 || c == '\n') break;
    line += c;
  }
  return line;
}

std::string ReadRest() {
  std::string text(kMost, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stdin));
  return text;
}

}  // namespace

std::string ReadSecret(const char* prompt) {
  if (::isatty(STDIN_FILENO) != 1) return ReadRest();
  const Silence silence;
  std::fputs(prompt, stderr);
  return ReadLine(silence);
}

}  // namespace coffer::cli
