#pragma once

#include <cstdint>
#include <string>

namespace coffer {

// How far a long piece of work is, on one line of standard error, where that is a terminal; else
// nothing. Goes away with the object. Not thread-safe.
class ProgressLine {
 public:
  // `what`: "copying the database".
  explicit ProgressLine(std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void Show(std::int64_t done, std::int64_t total);

 private:
  const std::string what_;
  const bool terminal_;
  std::int64_t shown_ = -1;  // percent
};

}  // namespace coffer
