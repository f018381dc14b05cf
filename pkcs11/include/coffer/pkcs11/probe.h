#pragma once

#include <optional>

#include "coffer/base/result.h"
#include "coffer/pkcs11/session.h"
#include "coffer/pkcs11/types.h"

namespace coffer::pkcs11 {

// The way in which a token treats CKA_UNWRAP_TEMPLATE, found by attacking it.
enum class UnwrapTemplateUse {
  kEnforced,  // a key cannot be unwrapped with other attributes than the template's
  kIgnored,   // accepted, but a holder of the blob can unwrap it as an extractable key
  kRefused    // no such master can be made, or nothing can be unwrapped under it
};

// The abilities of a token, found by trying them. Its list of mechanisms is not consulted, because
// such lists can be wrong.
struct TokenProfile {
  // The number of the mechanism by which the token does RFC 5649: it wraps a 32-byte key into 40
  // bytes and unwraps it again.
  std::optional<MechanismType> key_wrap_with_padding;
  // kRefused also where there is no such mechanism.
  UnwrapTemplateUse unwrap_template = UnwrapTemplateUse::kRefused;
  // Unwrapping under the template takes CKA_MODIFIABLE=0 only as the last attribute.
  bool modifiable_must_be_last = false;
  // Unwrapping takes CKA_VALUE_LEN (the standard forbids it, some tokens demand it).
  bool unwrap_takes_value_len = false;
  // AES-GCM with the caller's IV, which refuses a changed tag.
  bool gcm_caller_iv = false;
  bool hmac_sha256 = false;
};

// Tries the abilities of the token on session objects, which are all destroyed again. `session`
// must be logged in and fit for creating objects. An error only where the token is lost or not
// logged in (kTokenLost) or the session broke (kTokenFailed); what the token cannot do is in the
// profile. Takes some milliseconds on a software token. Threads: as Session.
Result<TokenProfile> ProbeToken(Session& session);

}  // namespace coffer::pkcs11
