#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/errors.h"
#include "api/vault/transit/batch_cost.h"
#include "api/vault/transit/batch_work.h"
#include "api/vault/transit/ignored_inputs.h"
#include "api/vault/transit/sign_items.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"

namespace coffer::api {
namespace {

using transit::SignOptions;

bool IsJws(const SignOptions& options) {
  return options.marshaling == SignOptions::Marshaling::kJws;
}

void WriteSignBatch(const SignInputs& inputs,
                    const std::vector<Result<transit::Signature>>& results, bool jws,
                    JsonWriter& json) {
  json.BeginObject().Key("batch_results").BeginArray();
  for (std::size_t i = 0; i < results.size(); ++i) {
    json.BeginObject();
    if (results[i]) {
      json.Key("signature").Text(SignatureText(*results[i], jws));
      json.Key("key_version").Int(results[i]->version);
    } else {
      json.Key("key_version").Int(0).Key("error").Text(ClientText(results[i].error()));
    }
    json.Key("reference").Text(inputs.items[i].reference).EndObject();
  }
  json.EndArray().EndObject();
}

Status AnswerSigned(const SignInputs& inputs,
                    const std::vector<Result<transit::Signature>>& results, bool jws,
                    Reply& reply) {
  if (inputs.is_batch) {
    WriteSignBatch(inputs, results, jws, reply.json);
    return {};
  }
  const auto& only = results.front();
  if (!only) return Fail(only.error());
  reply.json.BeginObject().Key("signature").Text(SignatureText(*only, jws));
  reply.json.Key("key_version").Int(only->version).EndObject();
  return {};
}

Status Sign(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const SignOptions options, SignOptionsOf(call.fields));
  COFFER_ASSIGN(SignInputs inputs, ReadSignInputs(call.fields));
  WarnOfIgnored(call, inputs, reply);
  // Vault takes a missing input for the empty message in a request, but not in an item of a batch.
  const std::string_view missing = inputs.is_batch ? "missing input" : "";
  auto decoded = DecodeInputs<transit::SignItem, transit::Signature>(
      inputs.items, [&](const SignInput& input) { return ToSignItem(input, missing); });
  const auto sign = [&call, options](std::span<const transit::SignItem> items) {
    return EngineOf(call).Sign(CallerOf(call), call.fields.Text("name"), items, options);
  };
  auto answer = [&reply, jws = IsJws(options), inputs = std::move(inputs)](
                    const std::vector<Result<transit::Signature>>& results) {
    return AnswerSigned(inputs, results, jws, reply);
  };
  return CarryOut(call, reply, std::move(decoded), sign, std::move(answer));
}

using Verified = std::vector<Result<bool>>;

Status AnswerVerified(const SignInputs& inputs, const Verified& results, Reply& reply) {
  if (!inputs.is_batch) {
    if (!results.front()) return Fail(results.front().error());
    reply.json.BeginObject().Key("valid").Bool(*results.front()).EndObject();
    return {};
  }
  reply.json.BeginObject().Key("batch_results").BeginArray();
  for (std::size_t i = 0; i < results.size(); ++i) {
    reply.json.BeginObject().Key("valid").Bool(results[i].value_or(false));
    if (!results[i]) reply.json.Key("error").Text(ClientText(results[i].error()));
    reply.json.Key("reference").Text(inputs.items[i].reference).EndObject();
  }
  reply.json.EndArray().EndObject();
  return {};
}

Status VerifySignatures(const Call& call, SignInputs inputs, Reply& reply) {
  COFFER_ASSIGN(const SignOptions options, SignOptionsOf(call.fields));
  auto decoded = DecodeInputs<transit::VerifyItem, bool>(inputs.items, [&](const SignInput& input) {
    return ToVerifyItem(input, "signature", IsJws(options));
  });
  const auto verify = [&call, options](std::span<const transit::VerifyItem> items) {
    return EngineOf(call).Verify(CallerOf(call), call.fields.Text("name"), items, options);
  };
  auto answer = [&reply, inputs = std::move(inputs)](const Verified& results) {
    return AnswerVerified(inputs, results, reply);
  };
  return CarryOut(call, reply, std::move(decoded), verify, std::move(answer));
}

Status VerifyMacs(const Call& call, SignInputs inputs, Reply& reply) {
  transit::MacOptions options;
  if (inputs.proof_field == "cmac") {
    options.kind = transit::MacOptions::Kind::kCmac;
    if (call.fields.Has("mac_length")) options.octets = call.fields.Int("mac_length");
  } else {
    COFFER_ASSIGN(options.hash, HmacHashOf(call.fields));
  }
  auto decoded = DecodeInputs<transit::VerifyItem, bool>(
      inputs.items, [](const SignInput& input) { return ToVerifyItem(input, "HMAC", false); });
  const auto verify = [&call, options](std::span<const transit::VerifyItem> items) {
    return EngineOf(call).VerifyMac(CallerOf(call), call.fields.Text("name"), items, options);
  };
  auto answer = [&reply, inputs = std::move(inputs)](const Verified& results) {
    return AnswerVerified(inputs, results, reply);
  };
  return CarryOut(call, reply, std::move(decoded), verify, std::move(answer));
}

Status Verify(const Call& call, Reply& reply) {
  COFFER_ASSIGN(SignInputs inputs, ReadVerifyInputs(call.fields));
  WarnOfIgnored(call, inputs, reply);
  if (inputs.proof_field == "signature") return VerifySignatures(call, std::move(inputs), reply);
  return VerifyMacs(call, std::move(inputs), reply);
}

std::vector<FieldSpec> SignFields() {
  return {kName,
          kInput,
          kContext,
          kUrlAlgorithm,
          kBatch,
          {"hash_algorithm", FieldType::kText, "sha2-256", "sha1, sha2-224 to sha3-512, or none.",
           false, true},
          {"algorithm", FieldType::kText, "", "Old name of hash_algorithm."},
          {"prehashed", FieldType::kBool, "false", "Whether the input is a digest already."},
          {"signature_algorithm", FieldType::kText, "", "RSA keys: pss or pkcs1v15.", false, true},
          {"marshaling_algorithm", FieldType::kText, "asn1",
           "asn1, or jws: ECDSA as r and s, Base64url."},
          {"salt_length", FieldType::kText, "auto", "PSS: auto, hash or a number of bytes."},
          {"signature_context", FieldType::kText, "", "Not available on this server."}};
}

Endpoint SignEndpoint(std::string_view pattern) {
  Endpoint sign{pattern, "Signs.", SignFields(), {}};
  sign.fields.push_back(kVersion);
  sign.operations = {
      {Verb::kWrite, Capability::kUpdate, Sign, false, nullptr, CostOfPrivateKeyItems}};
  sign.keeps_state = true;
  return sign;
}

Endpoint VerifyEndpoint(std::string_view pattern) {
  Endpoint verify{pattern, "Verifies a signature, an HMAC or a CMAC.", SignFields(), {}};
  verify.fields.push_back({"signature", FieldType::kText, "", "vault:vN:..."});
  verify.fields.push_back({"hmac", FieldType::kText, "", "vault:vN:..."});
  verify.fields.push_back({"cmac", FieldType::kText, "", "vault:vN:..."});
  verify.fields.push_back(
      {"mac_length", FieldType::kInt, "", "The CMAC's bytes, where it was cut."});
  verify.operations = {{Verb::kWrite, Capability::kUpdate, Verify, false, nullptr, CostOfItems}};
  verify.keeps_state = true;
  return verify;
}

}  // namespace

void AddTransitSignEndpoints(std::vector<Endpoint>& table) {
  table.push_back(SignEndpoint("sign/:name"));
  table.push_back(SignEndpoint("sign/:name/:urlalgorithm"));
  table.push_back(VerifyEndpoint("verify/:name"));
  table.push_back(VerifyEndpoint("verify/:name/:urlalgorithm"));
}

}  // namespace coffer::api
