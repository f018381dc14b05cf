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

// Reads a ciphertext. kInvalid in Vault's words: "invalid ciphertext: no prefix", "... wrong number
// of fields", "... version number could not be decoded", "... could not decode base64". Each
// ciphertext has one form: leading zeros, line ends and stray bits after the last byte are refused.
Result<CiphertextText> ParseCiphertext(std::string_view text);

// Reads a signature or an authentication code, which have the same form; the payload of a JWS
// signature is Base64url. The errors name `what`, "signature" or "HMAC".
Result<CiphertextText> ParseSignature(std::string_view text, std::string_view what, bool base64url);

// "vault:v<version>:"
std::string CiphertextPrefix(int version);

}  // namespace coffer::api
