#pragma once

#include <memory>

#include "coffer/base/result.h"
#include "coffer/keyring/token_setup.h"
#include "coffer/pkcs11/module.h"

namespace coffer::keyring {

// The location's module as an instance of its own, with a name that this process never used before;
// the module itself where the location has no directory for copies. Whoever opens a token, server
// or command, loads its module so.
Result<std::unique_ptr<pkcs11::Module>> LoadCopy(const TokenLocation& location);

}  // namespace coffer::keyring
