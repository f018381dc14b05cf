#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "server/config/config.h"

namespace coffer::server {

inline constexpr std::string_view kPinCredential = "coffer-pin";
inline constexpr std::string_view kSoPinCredential = "coffer-so-pin";

// The source of a PIN: a file that the configuration names, else a systemd credential, else the
// terminal. It is never an argument or an environment variable.
class PinSource {
 public:
  // `file` may be empty; `credential` is a file's name in CREDENTIALS_DIRECTORY. `what` names the
  // PIN in sentences: "PIN", "SO PIN". `accept_readable`: others may be able to read the file.
  // kInvalid where there is neither file, credential nor terminal.
  static Result<PinSource> Find(const std::filesystem::path& file, std::string_view credential,
                                std::string_view what, bool accept_readable = false);

  // kInvalid for a file that is missing, empty, of several lines, or open to others.
  Result<SecretBytes> Read() const;
  // Read() for a PIN that a token is still to be given: one that is typed is typed twice.
  Result<SecretBytes> ReadNew() const;
  bool IsTyped() const { return kind_ == Kind::kTerminal; }
  // "the PIN in FILE", "the PIN of credential NAME", "the PIN that was typed".
  std::string Name() const;
  // Says which PIN this was without saying anything of it: the file's inode, time of change and
  // size. A credential is a fresh copy at each start, so its name only. Empty for a typed one.
  std::string Fingerprint() const;
  // A sentence that tells an operator what to do about a PIN that was refused; `state_file` is the
  // file that remembers the refusal.
  std::string Remedy(const std::filesystem::path& state_file) const;

 private:
  enum class Kind { kFile, kCredential, kTerminal };
  PinSource(Kind kind, std::filesystem::path file, std::string what, bool accept_readable)
      : kind_(kind),
        file_(std::move(file)),
        what_(std::move(what)),
        accept_readable_(accept_readable) {}
  Status CheckMode() const;

  Kind kind_;
  std::filesystem::path file_;
  std::string what_;
  bool accept_readable_;
};

// The sources that the configuration names.
Result<PinSource> FindUserPin(const Config& config);
Result<PinSource> FindSoPin(const Config& config);

// A new PIN, typed twice. kInvalid where the two differ or there is no terminal.
Result<SecretBytes> AskForNewPin(const std::string& what);

}  // namespace coffer::server
