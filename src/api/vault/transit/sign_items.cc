#include "api/vault/transit/sign_items.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/vault/errors.h"
#include "api/vault/transit/batch_items.h"
#include "api/vault/transit/ciphertext.h"
#include "coffer/base/base64.h"
#include "coffer/base/parse.h"

namespace coffer::api {
namespace {

constexpr std::array<std::string_view, 3> kProofs{"signature", "hmac", "cmac"};
constexpr std::array<std::string_view, 6> kSignItemFields{"input",     "context", "reference",
                                                          "signature", "hmac",    "cmac"};

bool Given(const JsonValue& item, std::string_view field) {
  const JsonValue* const value = item.Find(field);
  return value != nullptr && !value->IsNull();
}

Result<SignInput> ReadItem(const JsonValue& item, std::size_t index) {
  COFFER_TRY(RequireObject(item, index));
  SignInput input;
  COFFER_ASSIGN(input.input, TextMember(item, index, "input"));
  COFFER_ASSIGN(input.reference, TextMember(item, index, "reference"));
  COFFER_ASSIGN(input.context, TextMember(item, index, "context"));
  input.missing = item.Find("input") == nullptr;
  return input;
}

Result<const JsonValue::Array*> BatchOf(const Fields& fields) {
  const JsonValue* const batch = fields.Find("batch_input");
  if (batch == nullptr) return nullptr;
  const auto* const array = batch->As<JsonValue::Array>();
  if (array->empty()) return Fail(Code::kInvalid, "missing batch input to process");
  return array;
}

Result<SignInputs> ReadVerifyBatch(const JsonValue::Array& array) {
  SignInputs inputs;
  inputs.is_batch = true;
  std::array<std::size_t, kProofs.size()> counts{};
  for (const JsonValue& item : array) {
    for (std::size_t i = 0; i < kProofs.size(); ++i) counts[i] += Given(item, kProofs[i]) ? 1 : 0;
  }
  const auto kinds = std::ranges::count_if(counts, [](std::size_t count) { return count > 0; });
  if (kinds == 0) {
    return Fail(Code::kInvalid, "no batch_input elements have 'signature' or 'hmac'");
  }
  if (kinds > 1) {
    return Fail(Code::kInvalid,
                "elements of batch_input must all provide 'signature' or all provide 'hmac'");
  }
  const auto kind = static_cast<std::size_t>(
      std::ranges::find_if(counts, [](std::size_t count) { return count > 0; }) - counts.begin());
  inputs.proof_field = kProofs.at(kind);
  if (counts.at(kind) != array.size()) {
    return Fail(Code::kInvalid, "some elements of batch_input are missing '" +
                                    std::string(inputs.proof_field) + "'");
  }
  for (std::size_t i = 0; i < array.size(); ++i) {
    COFFER_ASSIGN(SignInput input, ReadItem(array[i], i));
    COFFER_ASSIGN(input.proof, TextMember(array[i], i, inputs.proof_field));
    inputs.items.push_back(input);
    inputs.unknown.Note(array[i], kSignItemFields);
  }
  return inputs;
}

Result<std::int64_t> SaltOf(std::string_view text) {
  if (text == "auto") return transit::SignOptions::kSaltAuto;
  if (text == "hash") return transit::SignOptions::kSaltHash;
  const auto octets = ParseInt64(text);
  if (!octets) {
    return Fail(Code::kInvalid,
                "salt length neither 'auto', 'hash', nor an int: " + std::string(text));
  }
  return *octets;
}

}  // namespace

Result<SignInputs> ReadSignInputs(const Fields& fields) {
  SignInputs inputs;
  COFFER_ASSIGN(const auto* const batch, BatchOf(fields));
  const std::int64_t version = fields.Int("key_version");
  if (batch == nullptr) {
    inputs.items.push_back(
        {fields.Text("input"), {}, {}, fields.Text("context"), version, !fields.Given("input")});
    return inputs;
  }
  inputs.is_batch = true;
  for (std::size_t i = 0; i < batch->size(); ++i) {
    COFFER_ASSIGN(inputs.items.emplace_back(), ReadItem((*batch)[i], i));
    inputs.items.back().key_version = version;
    inputs.unknown.Note((*batch)[i], kSignItemFields);
  }
  return inputs;
}

Result<SignInputs> ReadVerifyInputs(const Fields& fields) {
  COFFER_ASSIGN(const auto* const batch, BatchOf(fields));
  if (batch != nullptr) return ReadVerifyBatch(*batch);
  SignInputs inputs;
  SignInput only{fields.Text("input"), {}, {}, fields.Text("context"), 0, false};
  for (const std::string_view field : kProofs) {
    if (fields.Text(field).empty()) continue;
    if (!inputs.proof_field.empty()) {
      return Fail(Code::kInvalid, "provide one of 'signature' or 'hmac'");
    }
    inputs.proof_field = field;
    only.proof = fields.Text(field);
  }
  if (inputs.proof_field.empty()) {
    return Fail(Code::kInvalid, "neither a 'signature' nor an 'hmac' were given to verify");
  }
  inputs.items.push_back(only);
  return inputs;
}

Result<std::optional<crypto::HashAlgorithm>> HashOf(const Fields& fields) {
  std::string_view name = fields.Text("urlalgorithm");
  if (name.empty() && fields.Has("hash_algorithm")) name = fields.Text("hash_algorithm");
  if (name.empty() && fields.Has("algorithm")) name = fields.Text("algorithm");
  if (name.empty()) name = "sha2-256";
  if (name == "none") return std::optional<crypto::HashAlgorithm>();
  const auto hash = crypto::ParseHashAlgorithm(name);
  if (!hash) return Fail(Code::kInvalid, "invalid hash algorithm \"" + std::string(name) + "\"");
  return hash;
}

Result<transit::SignOptions> SignOptionsOf(const Fields& fields) {
  using transit::SignOptions;
  SignOptions options;
  COFFER_ASSIGN(options.hash, HashOf(fields));
  options.prehashed = fields.Bool("prehashed");
  const std::string_view padding = fields.Text("signature_algorithm");
  if (padding == "pkcs1v15") {
    options.padding = SignOptions::Padding::kPkcs1;
  } else if (!padding.empty() && padding != "pss") {
    return Fail(Code::kInvalid, "unsupported signature algorithm " + std::string(padding));
  }
  const std::string_view marshaling = fields.Text("marshaling_algorithm");
  if (marshaling == "jws") {
    options.marshaling = SignOptions::Marshaling::kJws;
  } else if (!marshaling.empty() && marshaling != "asn1") {
    return Fail(Code::kInvalid, "invalid marshaling type \"" + std::string(marshaling) + "\"");
  }
  COFFER_ASSIGN(options.salt_octets, SaltOf(fields.Text("salt_length")));
  if (!fields.Text("signature_context").empty()) {
    return Fail(Code::kInvalid, "signature_context is not supported on this server");
  }
  return options;
}

Result<crypto::HashAlgorithm> HmacHashOf(const Fields& fields) {
  std::string_view name = fields.Text("urlalgorithm");
  if (name.empty() && fields.Has("algorithm")) name = fields.Text("algorithm");
  if (name.empty() && fields.Has("hash_algorithm")) name = fields.Text("hash_algorithm");
  if (name.empty()) name = "sha2-256";
  const auto hash = crypto::ParseHashAlgorithm(name);
  if (!hash) return Fail(Code::kInvalid, "unsupported algorithm \"" + std::string(name) + "\"");
  return *hash;
}

Result<transit::SignItem> ToSignItem(const SignInput& input, std::string_view missing_text) {
  if (input.missing && !missing_text.empty()) {
    return Fail(Code::kInvalid, std::string(missing_text));
  }
  auto message = Base64Decode(input.input);
  if (!message) {
    return Fail(Code::kInvalid, "unable to decode input as base64: " + ClientText(message.error()));
  }
  if (!input.context.empty() && !Base64Decode(input.context)) {
    return Fail(Code::kInvalid, "failed to base64-decode context");
  }
  return transit::SignItem{std::move(*message), input.key_version};
}

Result<transit::VerifyItem> ToVerifyItem(const SignInput& input, std::string_view what,
                                         bool base64url) {
  COFFER_ASSIGN(auto message, ToSignItem(input, ""));
  COFFER_ASSIGN(auto proof, ParseSignature(input.proof, what, base64url));
  return transit::VerifyItem{proof.version, std::move(proof.payload), std::move(message.input)};
}

std::string SignatureText(const transit::Signature& signature, bool base64url) {
  return CiphertextPrefix(signature.version) +
         (base64url ? Base64UrlEncode(signature.octets) : Base64Encode(signature.octets));
}

}  // namespace coffer::api
