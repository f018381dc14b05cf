#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/transit/batch_items.h"
#include "coffer/base/result.h"
#include "coffer/transit/engine.h"

namespace coffer::api {

// One item of a sign, verify, hmac or cmac request, as the client sent it, in batch_input or at the
// top level. Its views point into the fields of the request.
struct SignInput {
  std::string_view input;
  std::string_view proof;  // the signature or the code that is to be verified
  std::string_view reference;
  std::string_view context;
  std::int64_t key_version = 0;
  bool missing = false;  // the item has no input
};

struct SignInputs {
  std::vector<SignInput> items;
  bool is_batch = false;
  std::string_view proof_field;  // "signature", "hmac" or "cmac" in verification
  UnknownNames unknown;
};

Result<SignInputs> ReadSignInputs(const Fields& fields);
// kInvalid, in Vault's words, if the items do not all have the same kind of proof.
Result<SignInputs> ReadVerifyInputs(const Fields& fields);

// The hash that is asked for by the path, by hash_algorithm or by its older name, algorithm;
// nothing for "none".
Result<std::optional<crypto::HashAlgorithm>> HashOf(const Fields& fields);
Result<transit::SignOptions> SignOptionsOf(const Fields& fields);
// The hash for an HMAC, from the path or from algorithm. kInvalid "unsupported algorithm X".
Result<crypto::HashAlgorithm> HmacHashOf(const Fields& fields);

Result<transit::SignItem> ToSignItem(const SignInput& input, std::string_view missing_text);
// `what` is named in errors: "signature" or "HMAC".
Result<transit::VerifyItem> ToVerifyItem(const SignInput& input, std::string_view what,
                                         bool base64url);

// "vault:v<version>:<base64>", Base64url for JWS.
std::string SignatureText(const transit::Signature& signature, bool base64url);

}  // namespace coffer::api
