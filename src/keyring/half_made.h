#pragma once

#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/pkcs11/session.h"
#include "keyring/token_trial.h"

namespace coffer::keyring {

// Destroys the masters and the MAC key that a process was killed over: the token does not say that
// it generated them, as it says of each that was finished, and they cannot do the one thing that
// they are for. So nothing was ever made with them. An object that works is left alone, even if it
// is foreign: a start refuses it. For `coffer hsm init` only.
Status RemoveHalfMade(pkcs11::Session& session, const TokenSettings& profile, Logger& logger);

}  // namespace coffer::keyring
