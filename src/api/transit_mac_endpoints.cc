#include <span>
#include <string>
#include <utility>
#include <vector>

#include "batch_work.h"
#include "coffer/base/parse.h"
#include "endpoint_table.h"
#include "errors.h"
#include "ignored_inputs.h"
#include "sign_items.h"
#include "transit_fields.h"

namespace coffer::api {
namespace {

using Macs = std::vector<Result<transit::Signature>>;

// `field` is what the answer calls the code: "hmac" or "cmac".
Status AnswerMacs(const SignInputs& inputs, const Macs& results, std::string_view field,
                  Reply& reply) {
  if (!inputs.is_batch) {
    const auto& only = results.front();
    if (!only) return Fail(only.error());
    reply.json.BeginObject().Key(field).Text(SignatureText(*only, false)).EndObject();
    return {};
  }
  reply.json.BeginObject().Key("batch_results").BeginArray();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& result = results[i];
    reply.json.BeginObject();
    if (result) {
      reply.json.Key(field).Text(SignatureText(*result, false));
    } else {
      reply.json.Key("error").Text(ClientText(result.error()));
    }
    reply.json.Key("reference").Text(inputs.items[i].reference).EndObject();
  }
  reply.json.EndArray().EndObject();
  return {};
}

// `field` is a literal.
Status MakeMacs(const Call& call, const transit::MacOptions& options, std::string_view field,
                std::string_view missing, Reply& reply) {
  COFFER_ASSIGN(SignInputs inputs, ReadSignInputs(call.fields));
  WarnOfIgnored(call, inputs, reply);
  auto decoded = DecodeInputs<transit::SignItem, transit::Signature>(
      inputs.items, [&](const SignInput& input) { return ToSignItem(input, missing); });
  const auto make = [&call, options](std::span<const transit::SignItem> items) {
    return call.services.engine.Mac(call.Caller(), call.fields.Text("name"), items, options);
  };
  auto answer = [&reply, field, inputs = std::move(inputs)](const Macs& results) {
    return AnswerMacs(inputs, results, field, reply);
  };
  return CarryOut(call, reply, std::move(decoded), make, std::move(answer));
}

Status MakeHmac(const Call& call, Reply& reply) {
  transit::MacOptions options;
  COFFER_ASSIGN(options.hash, HmacHashOf(call.fields));
  return MakeMacs(call, options, "hmac", "missing input for HMAC", reply);
}

Status MakeCmac(const Call& call, Reply& reply) {
  transit::MacOptions options;
  options.kind = transit::MacOptions::Kind::kCmac;
  const std::string_view in_path = call.fields.Text("url_mac_length");
  if (!in_path.empty()) {
    const auto octets = ParseInt64(in_path);
    if (!octets) return Fail(Code::kInvalid, "error parsing url_mac_length: not an integer");
    options.octets = *octets;
  } else if (call.fields.Has("mac_length")) {
    options.octets = call.fields.Int("mac_length");
  }
  return MakeMacs(call, options, "cmac", "missing input for CMAC", reply);
}

Endpoint HmacEndpoint(std::string_view pattern) {
  Endpoint hmac{pattern, "The HMAC of a message by a key's HMAC key.", {}, {}};
  hmac.fields = {
      kName,
      kInput,
      kVersion,
      kUrlAlgorithm,
      {"algorithm", FieldType::kText, "sha2-256", "sha1, or sha2-224 to sha2-512.", false, true},
      {"hash_algorithm", FieldType::kText, "", "Other name of algorithm."},
      kBatch};
  hmac.operations = {
      {Verb::kWrite, Capability::kUpdate, MakeHmac, false, nullptr, BatchKind::kEven}};
  hmac.keeps_state = true;
  return hmac;
}

Endpoint CmacEndpoint(std::string_view pattern) {
  Endpoint cmac{pattern, "The CMAC of a message by a CMAC key.", {}, {}};
  cmac.fields = {kName,
                 kInput,
                 kVersion,
                 {"mac_length", FieldType::kInt, "", "8 to 16 bytes; 16 where not given."},
                 {"url_mac_length", FieldType::kText, "", "As mac_length; stands above it."},
                 kBatch};
  cmac.operations = {
      {Verb::kWrite, Capability::kUpdate, MakeCmac, false, nullptr, BatchKind::kEven}};
  cmac.keeps_state = true;
  return cmac;
}

}  // namespace

void AddTransitMacEndpoints(std::vector<Endpoint>& table) {
  table.push_back(HmacEndpoint("hmac/:name"));
  table.push_back(HmacEndpoint("hmac/:name/:urlalgorithm"));
  table.push_back(CmacEndpoint("cmac/:name"));
  table.push_back(CmacEndpoint("cmac/:name/=url_mac_length"));
}

}  // namespace coffer::api
