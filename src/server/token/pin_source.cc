#include "server/token/pin_source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "server/token/secret_file.h"

namespace coffer::server {
namespace {

constexpr std::size_t kMaxTyped = 1024;

constexpr std::uint8_t kInterrupt = 0x03;  // Ctrl-C

// Switches the terminal's echo off for as long as it lives; and its signals, so that none ends the
// process before the echo is back.
class Silence {
 public:
  explicit Silence(int fd) : fd_(fd) {
    good_ = ::tcgetattr(fd_, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    silent.c_cc[VEOL] = kInterrupt;  // ends the line, so that it is read at once
    good_ = good_ && ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (good_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  bool good() const { return good_; }

 private:
  int fd_;
  termios before_{};
  bool good_ = false;
};

Result<SecretBytes> AskOnTerminal(const std::string& what) {
  SecretBytes typed(kMaxTyped);
  std::size_t size = 0;
  {
    const Silence silence(STDIN_FILENO);
    if (!silence.good()) return Fail(Code::kInvalid, "failed to silence the terminal");
    std::fprintf(stderr, "%s: ", what.c_str());
    while (size < typed.size()) {
      const ssize_t got = ::read(STDIN_FILENO, typed.RevealMutable().data() + size, 1);
      if (got != 1 || typed.Reveal()[size] == '\n') break;
      if (typed.Reveal()[size] == kInterrupt) {
        std::fputc('\n', stderr);
        return Fail(Code::kInvalid, "interrupted: no " + what + " was typed");
      }
      ++size;
    }
    std::fputc('\n', stderr);
  }
  typed.Truncate(size);
  if (typed.empty()) return Fail(Code::kInvalid, "no " + what + " was typed");
  return typed;
}

}  // namespace

Result<PinSource> PinSource::Find(const std::filesystem::path& file, std::string_view credential,
                                  std::string_view what, bool accept_readable) {
  std::string name(what);
  if (!file.empty()) return PinSource(Kind::kFile, file, std::move(name), accept_readable);
  if (const char* const directory = ::getenv("CREDENTIALS_DIRECTORY")) {
    const std::filesystem::path found = std::filesystem::path(directory) / credential;
    std::error_code error;
    if (std::filesystem::exists(found, error)) {
      return PinSource(Kind::kCredential, found, std::move(name), accept_readable);
    }
  }
  if (::isatty(STDIN_FILENO) == 1) {
    return PinSource(Kind::kTerminal, {}, std::move(name), accept_readable);
  }
  return Fail(Code::kInvalid, "there is no " + name + ": name a file in the configuration (" +
                                  (name == "PIN" ? "pin-source" : "so_pin_source") + "), load " +
                                  "the systemd credential " + std::string(credential) +
                                  ", or start on a terminal to be asked");
}

Result<SecretBytes> PinSource::Read() const {
  if (kind_ == Kind::kTerminal) return AskOnTerminal(what_);
  COFFER_TRY(CheckMode());
  auto pin = ReadSecretFile(file_);
  if (!pin) return Fail(pin.error().code, "the " + what_ + " file: " + pin.error().message);
  if (!*pin) {
    return Fail(Code::kInvalid, "the " + what_ + " file " + file_.string() +
                                    " is not there: coffer hsm init makes it with a new token, "
                                    "for an older one put its " +
                                    what_ + " there");
  }
  const ByteView octets = (*pin)->Reveal();
  if (std::find(octets.begin(), octets.end(), '\n') != octets.end()) {
    return Fail(Code::kInvalid, "the " + what_ + " file " + file_.string() +
                                    " has several lines: the PIN stands in one, alone");
  }
  return std::move(**pin);
}

Status PinSource::CheckMode() const {
  struct stat found {};
  const mode_t refused = accept_readable_ ? 022 : 027;
  if (::stat(file_.c_str(), &found) != 0 || (found.st_mode & refused) == 0) return {};
  return Fail(Code::kInvalid, "the " + what_ + " file " + file_.string() +
                                  (accept_readable_ ? " can be written by others"
                                                    : " can be read by others or written by its "
                                                      "group") +
                                  ": chmod 0600 it" +
                                  (accept_readable_ ? ""
                                                    : "; where that cannot be, on a container's "
                                                      "secret, accept_readable_pin = true in the "
                                                      "token block takes it as it is"));
}

Result<PinSource> FindUserPin(const Config& config) {
  return PinSource::Find(config.pin_file, kPinCredential, "PIN", config.accept_readable_pin);
}

Result<PinSource> FindSoPin(const Config& config) {
  return PinSource::Find(config.so_pin_file, kSoPinCredential, "SO PIN",
                         config.accept_readable_pin);
}

Result<SecretBytes> PinSource::ReadNew() const {
  return kind_ == Kind::kTerminal ? AskForNewPin(what_) : Read();
}

std::string PinSource::Name() const {
  switch (kind_) {
    case Kind::kFile:
      return "the " + what_ + " in " + file_.string();
    case Kind::kCredential:
      return "the " + what_ + " of credential " + file_.filename().string();
    case Kind::kTerminal:
      break;
  }
  return "the " + what_ + " that was typed";
}

std::string PinSource::Fingerprint() const {
  if (kind_ == Kind::kTerminal) return "";
  if (kind_ == Kind::kCredential) return "credential " + file_.filename().string();
  struct stat found {};
  if (::stat(file_.c_str(), &found) != 0) return "absent";
  return std::to_string(found.st_ino) + " " + std::to_string(found.st_mtim.tv_sec) + "." +
         std::to_string(found.st_mtim.tv_nsec) + " " + std::to_string(found.st_size);
}

std::string PinSource::Remedy(const std::filesystem::path& state_file) const {
  switch (kind_) {
    case Kind::kFile:
      return "correct the file, then start again";
    case Kind::kCredential:
      return "correct the credential, remove " + state_file.string() + ", then start again";
    case Kind::kTerminal:
      break;
  }
  return "start again to be asked again";
}

Result<SecretBytes> AskForNewPin(const std::string& what) {
  if (::isatty(STDIN_FILENO) != 1) {
    return Fail(Code::kInvalid, "a new " + what + " is typed: start on a terminal");
  }
  COFFER_ASSIGN(SecretBytes first, AskOnTerminal("New " + what));
  COFFER_ASSIGN(const SecretBytes second, AskOnTerminal("Again"));
  if (!(first == second)) return Fail(Code::kInvalid, "the two differ: nothing was changed");
  return first;
}

}  // namespace coffer::server
