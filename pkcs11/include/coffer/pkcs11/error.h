#pragma once

#include <string_view>

#include "coffer/base/result.h"

namespace coffer::pkcs11 {

// Translates a CK_RV (PKCS#11 2.40 section 5.1 and 3.0) into an Error; nothing else does.
// `function` is the C_ name. The message is fit for any client; the cause reads "C_UnwrapKey:
// CKR_TEMPLATE_INCONSISTENT (0xd1)".
//   kTokenLost             session, login, slot, device or handle gone: SESSION_CLOSED,
//                          SESSION_HANDLE_INVALID, USER_NOT_LOGGED_IN, *_HANDLE_INVALID,
//                          TOKEN_NOT_*, DEVICE_ERROR, DEVICE_REMOVED, SLOT_ID_INVALID,
//                          CRYPTOKI_NOT_INITIALIZED
//   kPinIncorrect          PIN_INCORRECT only
//   kPinLocked             PIN_LOCKED
//   kTokenRefused          the token's policy: templates, attributes, mechanisms, permissions,
//                          unextractable keys, sizes, other PIN and SESSION codes, ARGUMENTS_BAD
//   kAuthenticationFailed  ENCRYPTED_DATA_*, SIGNATURE_*, AEAD_DECRYPT_FAILED
//   kUnavailable           HOST_MEMORY, DEVICE_MEMORY, SESSION_COUNT
//   kTokenFailed           GENERAL_ERROR, FUNCTION_FAILED and whatever is not listed: ambiguous,
//                          ask a canary
// Thread-safe.
Error FromCkRv(unsigned long rv, std::string_view function);

}  // namespace coffer::pkcs11
