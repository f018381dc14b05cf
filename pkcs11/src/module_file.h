#pragma once

#include <filesystem>

#include "coffer/base/result.h"
#include "cryptoki.h"

namespace coffer::pkcs11 {

// dlopens `library`, or a copy of it at `copy_to` which is unlinked once it is open, and asks it
// for its functions. The library is never closed again: OpenSSL, which software tokens bring along,
// registers exit handlers and thread-local destructors that would then point into unmapped code.
// Loading is a thing of the start, so what stays mapped is bounded.
Result<CK_FUNCTION_LIST*> OpenModuleFile(const std::filesystem::path& library,
                                         const std::filesystem::path& copy_to);

}  // namespace coffer::pkcs11
