#include "server/token/pin_guard.h"

#include <string>

#include "server/token/secret_file.h"

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

std::filesystem::path RejectedPinFile(const Config& config) {
  return config.data_directory / "pin-rejected";
}

Status WithPin(const Config& config, const std::function<Status(const SecretBytes& pin)>& open) {
  COFFER_ASSIGN(const PinSource source, FindUserPin(config));
  const std::filesystem::path state_file = RejectedPinFile(config);
  const PinGuard guard(source, state_file);
  COFFER_TRY(guard.Check());
  COFFER_ASSIGN(const SecretBytes pin, source.Read());
  Status opened = open(pin);
  if (opened) {
    guard.Forget();
    return {};
  }
  if (opened.error().code != Code::kPinIncorrect) return opened;
  COFFER_TRY(guard.RememberRefusal());
  return Fail(Code::kPinIncorrect, source.Name() +
                                       " was refused by the token: " + source.Remedy(state_file) +
                                       "; it will not be tried a second time");
}

}  // namespace coffer::server
