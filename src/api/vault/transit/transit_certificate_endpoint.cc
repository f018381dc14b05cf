#include <string>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"
#include "coffer/crypto/certificate_chain.h"

namespace coffer::api {
namespace {

Status SetCertificate(const Call& call, Reply& reply) {
  const std::string_view name = call.fields.Text("name");
  const auto found = EngineOf(call).Find(ReaderOf(call), name);
  if (!found && found.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, "key with provided name '" + std::string(name) + "' not found");
  }
  if (!found) return Fail(found.error());
  if (!(*found)->Info().signs) {
    return Fail(Code::kInvalid,
                "key type '" + std::string((*found)->Info().name) + "' does not support signing");
  }
  COFFER_ASSIGN(const auto chain,
                crypto::CertificateChain::FromPem(call.fields.Text("certificate_chain")));
  COFFER_ASSIGN(const auto changed, EngineOf(call).SetCertificates(
                                        CallerOf(call), name, call.fields.Int("version"), chain));
  reply.json.BeginObject().Key("name").Text(changed->name);
  reply.json.Key("type").Text(changed->Info().name);
  reply.json.Key("certificate_chain").Text(chain.Pem()).EndObject();
  return {};
}

}  // namespace

void AddTransitCertificateEndpoints(std::vector<Endpoint>& table) {
  Endpoint certificate{
      "keys/:name/set-certificate", "Keeps a certificate and its issuers with a version.", {}, {}};
  certificate.fields = {kName,
                        {"version", FieldType::kInt, "0", "The version; 0: latest."},
                        {"certificate_chain", FieldType::kText, "",
                         "PEM of the key's own certificate, then each one's issuer."}};
  certificate.operations = {{Verb::kWrite, Capability::kUpdate, SetCertificate, true}};
  table.push_back(std::move(certificate));
}

}  // namespace coffer::api
