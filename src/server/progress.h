#pragma once

#include <chrono>
#include <string_view>

namespace coffer::server {

// One line on a terminal's stderr that says what is being done, once two seconds have passed;
// nothing where stderr is a file or a pipe. One thread.
class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { Done(); }

  void Doing(std::string_view what);
  void Done();  // clears the line

 private:
  const bool terminal_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  bool shown_ = false;
};

}  // namespace coffer::server
