#include "server/pin_guard.h"

#include <string>

#include "server/secret_file.h"

namespace coffer::server {

Status PinGuard::Check() const {
  COFFER_ASSIGN(const auto remembered, ReadSecretFile(state_file_));
  if (!remembered || AsText(remembered->Reveal()) != source_.Fingerprint()) return {};
  return Fail(Code::kPinIncorrect, source_.Name() + " was refused by the token and is not tried " +
                                       "again: " + source_.Remedy(state_file_));
}

Status PinGuard::RememberRefusal() const {
  const std::string fingerprint = source_.Fingerprint();
  if (fingerprint.empty()) return {};
  return WriteSecretFile(state_file_, SecretBytes::CopyOf(AsBytes(fingerprint)));
}

void PinGuard::Forget() const {
  std::error_code ignored;
  std::filesystem::remove(state_file_, ignored);
}

}  // namespace coffer::server
