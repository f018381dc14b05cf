#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/transit/batch_items.h"
#include "coffer/base/result.h"
#include "coffer/transit/engine.h"

namespace coffer::api {

// What one item of a sign, verify, hmac or cmac request says, of batch_input or of the top level.
// Views point into the request's fields.
struct SignInput {
  std::string_view input;
  std::string_view proof;  // what is verified: the signature or code
  std::string_view reference;
  std::string_view context;
  std::int64_t key_version = 0;
  bool missing = false;  // without input
};

struct SignInputs {
  std::vector<SignInput> items;
  bool is_batch = false;
  std::string_view proof_field;  // "signature", "hmac" or "cmac" in verification
  UnknownNames unknown;
};

Result<SignInputs> ReadSignInputs(const Fields& fields);
// kInvalid with the reference's texts where the items do not agree in what is to be verified.
Result<SignInputs> ReadVerifyInputs(const Fields& fields);

// The hash that the path, hash_algorithm or its older name algorithm asks for; nothing for "none".
Result<std::optional<crypto::HashAlgorithm>> HashOf(const Fields& fields);
Result<transit::SignOptions> SignOptionsOf(const Fields& fields);
// `hash_text` out of the path or algorithm: kInvalid "unsupported algorithm X".
Result<crypto::HashAlgorithm> HmacHashOf(const Fields& fields);

Result<transit::SignItem> ToSignItem(const SignInput& input, std::string_view missing_text);
// `what` is named in errors: "signature" or "HMAC".
Result<transit::VerifyItem> ToVerifyItem(const SignInput& input, std::string_view what,
                                         bool base64url);

// "vault:v<version>:<base64>", Base64url for JWS.
std::string SignatureText(const transit::Signature& signature, bool base64url);

}  // namespace coffer::api
