#pragma once

#include "coffer/base/bytes.h"
#include "coffer/pkcs11/types.h"

namespace coffer::pkcs11 {

// These functions make the bytes for Mechanism::parameter. `hash` is kSha1 to kSha512; MGF1 uses
// the same hash.

// CK_RSA_PKCS_PSS_PARAMS.
Bytes RsaPssParameters(MechanismType hash, unsigned long salt_octets);
// CK_RSA_PKCS_OAEP_PARAMS with an empty label.
Bytes RsaOaepParameters(MechanismType hash);

}  // namespace coffer::pkcs11
