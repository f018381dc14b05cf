#pragma once

// Opening a token, and making what a server needs in it. The caller owns what is opened; one thread
// calls, before the server serves. Errors: kPinIncorrect and kPinLocked, kTokenRefused and kInvalid
// for a token that cannot be used, kTokenLost.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "coffer/base/ids.h"
#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/base/stall_watch.h"
#include "coffer/keyring/token.h"

namespace coffer::keyring {

// The token to open, and the module that reaches it.
struct TokenLocation {
  std::filesystem::path module;  // libsofthsm2.so
  std::string label;
  std::string serial;                 // empty: any
  std::string module_arguments = {};  // passed to the module at its start; mostly empty
  std::filesystem::path
      copies_directory;  // a software token's module is copied here for each instance
  std::filesystem::path
      objects_directory;  // a software token's files, synced after each token object; empty: none
  // The place where RSA-OAEP is undone for imports. kProcess is for dev mode on SoftHSM only, which
  // unwraps with no other hash than SHA-1.
  ImportedThrough import_oaep = ImportedThrough::kToken;
};

struct OpenedTokens {
  std::string serial;
  std::unique_ptr<Token> custodian;
  std::vector<std::unique_ptr<Token>> workers;
};

// Opens `workers` + 1 instances and logs in: one attempt with the PIN on the first instance, before
// any other. Reads every master's attributes back; kInvalid/kTokenRefused with the attribute's name
// where the token stored something else, kNotFound "token X has no coffer master keys: run coffer
// hsm init first" where there are none. `watch` may be null; it watches every call from the first
// on: its first subject is the loading of modules, the next the custodian's instance, then the
// workers' instances.
Result<OpenedTokens> OpenTokens(const TokenLocation& location, const SecretBytes& pin,
                                std::size_t workers, Logger& logger, StallWatch* watch = nullptr);

// Makes the token where no token has this label, and the user PIN where the token has none: it
// continues from the state that an interrupted run left. kPinIncorrect and kPinLocked are about the
// SO PIN, which is tried once.
Status MakeToken(const TokenLocation& location, const SecretBytes& so_pin,
                 const SecretBytes& user_pin);

// Makes every master and coffer-* object that is missing or was left half made. Idempotent: an
// interrupted run is finished by the next. `database` goes into the epoch object.
Status CompleteToken(const TokenLocation& location, const SecretBytes& pin, const Id& database,
                     Logger& logger);

}  // namespace coffer::keyring
