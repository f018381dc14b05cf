#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer::api {

// "vault:v<version>:<base64 payload>": the wire form of a ciphertext (docs/formats.md).
struct CiphertextText {
  std::int64_t version = 0;  // 0 stands for 1 in the oldest ciphertexts
  Bytes payload;
};

// kInvalid with the reference's texts: "invalid ciphertext: no prefix", "... wrong number of
// fields", "... version number could not be decoded", "... could not decode base64". Each
// ciphertext has one form: leading zeros, line ends and stray bits behind the last octet are
// refused.
Result<CiphertextText> ParseCiphertext(std::string_view text);

// Signatures and authentication codes have the same form; a JWS signature's payload is Base64url.
// The texts name `what`, "signature" or "HMAC".
Result<CiphertextText> ParseSignature(std::string_view text, std::string_view what, bool base64url);

// "vault:v<version>:"
std::string CiphertextPrefix(int version);

}  // namespace coffer::api
