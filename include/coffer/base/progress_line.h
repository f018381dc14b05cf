#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer {

// How far a long piece of work is, on one line of standard error, where that is a terminal; else
// nothing. Goes away with the object at the latest. Not thread-safe.
class ProgressLine {
 public:
  // `what`: "copying the database".
  explicit ProgressLine(std::string what);
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void Show(std::int64_t done, std::int64_t total);
  // What is being worked on, where nobody knows how much there is; once two seconds have passed.
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
