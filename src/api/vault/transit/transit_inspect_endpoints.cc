#include <string>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/errors.h"
#include "api/vault/transit/batch_cost.h"
#include "api/vault/transit/batch_items.h"
#include "api/vault/transit/decoded_inputs.h"
#include "api/vault/transit/ignored_inputs.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"

namespace coffer::api {
namespace {

void WriteInspection(const transit::Inspection& inspection, JsonWriter& json) {
  json.Key("version").Int(inspection.version);
  json.Key("latest_version").Int(inspection.latest_version);
  json.Key("type").Text(keyring::KeyTypeName(inspection.type));
  json.Key("plaintext_length");
  if (inspection.plaintext_octets) {
    json.Int(static_cast<std::int64_t>(*inspection.plaintext_octets));
  } else {
    json.Null();
  }
  json.Key("needs_rewrap").Bool(inspection.needs_rewrap);
  json.Key("decryptable").Bool(inspection.usable);
}

Status Inspect(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const CipherInputs inputs, ReadCipherInputs(call.fields, "ciphertext", "inspect"));
  WarnOfIgnored(call, inputs, reply);
  auto decoded =
      DecodeInputs<transit::CiphertextItem, transit::Inspection>(inputs.items, ToCiphertextItem);
  COFFER_ASSIGN(auto seen,
                EngineOf(call).Inspect(CallerOf(call), call.fields.Text("name"), decoded.items));
  decoded.Place(seen, 0);
  if (!inputs.is_batch) {
    if (!decoded.results.front()) return Fail(decoded.results.front().error());
    reply.json.BeginObject();
    WriteInspection(*decoded.results.front(), reply.json);
    reply.json.EndObject();
    return {};
  }
  reply.json.BeginObject().Key("batch_results").BeginArray();
  for (std::size_t i = 0; i < decoded.results.size(); ++i) {
    reply.json.BeginObject();
    if (decoded.results[i]) {
      WriteInspection(*decoded.results[i], reply.json);
    } else {
      reply.json.Key("error").Text(ClientText(decoded.results[i].error()));
    }
    reply.json.Key("reference").Text(inputs.items[i].reference).EndObject();
  }
  reply.json.EndArray().EndObject();
  return {};
}

}  // namespace

void AddTransitInspectEndpoints(std::vector<Endpoint>& table) {
  Endpoint inspect{
      "inspect/:name",
      "Tells what a ciphertext says of itself: no plaintext, and no call to the token.",
      {kName, kCiphertext, kContext, kNonce, kAssociated, kVersion, kBatch},
      {{Verb::kWrite, Capability::kUpdate, Inspect, false, nullptr, CostOfItems}}};
  inspect.keeps_state = true;
  table.push_back(std::move(inspect));
}

}  // namespace coffer::api
