#include "server/pin_guard.h"

#include <sys/stat.h>

#include <string>

#include "server/secret_file.h"

namespace coffer::server {
namespace {

std::string Fingerprint(const std::filesystem::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return "absent";
  return std::to_string(found.st_ino) + " " + std::to_string(found.st_mtim.tv_sec) + "." +
         std::to_string(found.st_mtim.tv_nsec) + " " + std::to_string(found.st_size);
}

}  // namespace

Status PinGuard::Check() const {
  COFFER_ASSIGN(const auto remembered, ReadSecretFile(state_file_));
  if (!remembered || AsText(remembered->Reveal()) != Fingerprint(pin_file_)) return {};
  return Fail(Code::kPinIncorrect,
              "the PIN in " + pin_file_.string() +
                  " was refused by the token and is not tried again: correct the "
                  "file, then start again");
}

Status PinGuard::RememberRefusal() const {
  return WriteSecretFile(state_file_, SecretBytes::CopyOf(AsBytes(Fingerprint(pin_file_))));
}

void PinGuard::Forget() const {
  std::error_code ignored;
  std::filesystem::remove(state_file_, ignored);
}

}  // namespace coffer::server
