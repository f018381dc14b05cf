#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace coffer::storage {

// victim.cc as a child process, killed with SIGKILL at the latest on destruction.
class VictimProcess final {
 public:
  VictimProcess(const std::string& what, const std::string& where) {
    int out[2];
    int in[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(in, O_CLOEXEC) != 0) {
      throw std::runtime_error("pipe2 failed");
    }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string program = COFFER_STORAGE_VICTIM;
    std::string first = what;
    std::string second = where;
    char* const arguments[] = {program.data(), first.data(), second.data(), nullptr};
    const int failed = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    output_ = out[0];
    input_ = in[1];
    if (failed != 0) throw std::runtime_error("posix_spawn failed");
  }
  VictimProcess(const VictimProcess&) = delete;
  VictimProcess& operator=(const VictimProcess&) = delete;
  ~VictimProcess() {
    Kill();
    ::close(output_);
    ::close(input_);
  }

  // The next line of its output; empty at the end.
  std::string ReadLine() {
    std::string line;
    char c = 0;
    while (::read(output_, &c, 1) == 1) {
      if (c == '\n') return line;
      line += c;
    }
    return {};  // an unfinished line was not said
  }
  void Kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t Pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  int output_ = -1;
  int input_ = -1;
};

}  // namespace coffer::storage
