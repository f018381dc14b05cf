#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/pkcs11/module.h"
#include "coffer/pkcs11/probe.h"
#include "coffer/pkcs11/types.h"

namespace coffer::keyring {

// The choices with which a server runs a token.
struct TokenSettings {
  pkcs11::MechanismType key_wrap{};  // RFC 5649, by the number that this token has for it
};

// The findings of one trial. `coffer hsm init`, each start and `coffer hsm doctor` make the same
// trial, so a token that one of them takes is taken by all.
struct TokenTrial {
  pkcs11::TokenProfile found;
  bool keeps_epoch = false;
  std::optional<TokenSettings> profile;  // only where nothing is missing
  std::vector<std::string> missing;      // what a server needs beyond the token, and why
};

// Tries once every operation that each server needs, with the server's own recipes and calls, on
// session objects that are destroyed again. The caller must be logged in. An error only if the
// token is lost.
Result<TokenTrial> TryToken(pkcs11::Module& module, pkcs11::SlotId slot);

// The profile, or kTokenRefused with all that is missing.
Result<TokenSettings> SettingsOf(const TokenTrial& trial);

}  // namespace coffer::keyring
