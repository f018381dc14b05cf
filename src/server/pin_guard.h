#pragma once

#include <filesystem>

#include "coffer/base/result.h"

namespace coffer::server {

// A PIN that the token refused is never tried again: tokens lock after a few attempts, and a
// supervisor restarts servers. The state file remembers which file it came from (inode, time of
// change, size), never anything of the PIN itself.
class PinGuard {
 public:
  PinGuard(std::filesystem::path pin_file, std::filesystem::path state_file)
      : pin_file_(std::move(pin_file)), state_file_(std::move(state_file)) {}

  // kPinIncorrect with what to do, where this very file was refused before.
  Status Check() const;
  Status RememberRefusal() const;
  void Forget() const;

 private:
  std::filesystem::path pin_file_;
  std::filesystem::path state_file_;
};

}  // namespace coffer::server
