#pragma once

#include <string_view>

#include "coffer/base/result.h"

namespace coffer::pkcs11 {

// The one translation of a CK_RV. `function` is the C_ name. The message is fit for any client; the
// cause reads "C_UnwrapKey: CKR_TEMPLATE_INCONSISTENT (0xd1)". Groups:
//   kTokenLost     sessions, login, slot, device or handle gone (SESSION_*, USER_NOT_LOGGED_IN,
//   *_HANDLE_INVALID,
//                  TOKEN_NOT_*, DEVICE_*, SLOT_ID_INVALID, CRYPTOKI_NOT_INITIALIZED)
//   kPinIncorrect  CKR_PIN_INCORRECT only;   kPinLocked  CKR_PIN_LOCKED
//   kTokenRefused  the token's policy: templates, attributes, mechanisms, permissions,
//   unextractable, sizes kAuthenticationFailed  CKR_ENCRYPTED_DATA_INVALID, CKR_SIGNATURE_INVALID,
//   CKR_AEAD_DECRYPT_FAILED kTokenFailed   CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED and whatever is
//   not listed: ambiguous, ask a canary kUnavailable   HOST_MEMORY, DEVICE_MEMORY, SESSION_COUNT
Error FromCkRv(unsigned long rv, std::string_view function);

}  // namespace coffer::pkcs11
