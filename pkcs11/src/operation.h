#pragma once

#include "coffer/pkcs11/session.h"

namespace coffer::pkcs11 {

// The operations that C_...Init starts and that a failed call may leave active.
enum class Session::Operation { kEncrypt, kDecrypt, kSign, kVerify, kDigest };

}  // namespace coffer::pkcs11
