#pragma once

#include <filesystem>
#include <functional>

#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "server/config/config.h"
#include "server/token/pin_source.h"

namespace coffer::server {

// A PIN that the token refused is never tried again: tokens lock after a few attempts, and a
// supervisor restarts servers. The state file remembers its source's fingerprint, never anything
// of the PIN itself.
class PinGuard {
 public:
  PinGuard(const PinSource& source, std::filesystem::path state_file)
      : source_(source), state_file_(std::move(state_file)) {}

  // kPinIncorrect with what to do, if a PIN from this source was refused and the source has not
  // changed since.
  Status Check() const;
  Status RememberRefusal() const;
  void Forget() const;

 private:
  const PinSource& source_;
  std::filesystem::path state_file_;
};

// The server's own state file.
std::filesystem::path RejectedPinFile(const Config& config);

// Reads the user's PIN as `config` says and calls `open` with it, once. A refusal is remembered and
// comes back as kPinIncorrect with what to do; a PIN that was refused before is not tried.
Status WithPin(const Config& config, const std::function<Status(const SecretBytes& pin)>& open);

}  // namespace coffer::server
