#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer {

// Shows on one line of standard error how far a long piece of work is, if that is a terminal; else
// it shows nothing. The line is removed with the object at the latest. Not thread-safe.
class ProgressLine {
 public:
  // `what`: "copying the database".
  explicit ProgressLine(std::string what);
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void Show(std::int64_t done, std::int64_t total);
  // Shows the step in progress, for work whose amount is unknown. It appears once two seconds have
  // passed.
  void Doing(std::string_view step);
  void Clear();

 private:
  const std::string what_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::int64_t percent_ = -1;
  bool shown_ = false;
};

}  // namespace coffer
