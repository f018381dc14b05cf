#pragma once

#include "coffer/keyring/token_admin.h"
#include "coffer/pkcs11/module.h"

namespace coffer::keyring {

TokenDescription DescriptionOf(const pkcs11::TokenInfo& info, const pkcs11::ModuleInfo& library);

}  // namespace coffer::keyring
