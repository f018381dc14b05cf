#include <string>

#include "api/endpoint.h"
#include "api/vault/errors.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"
#include "coffer/crypto/certificate_request.h"

namespace coffer::api {
namespace {

Status RequireSigning(const keyring::Key& key) {
  if (key.Info().signs) return {};
  return Fail(Code::kInvalid,
              "key type '" + std::string(key.Info().name) + "' does not support signing");
}

// The request is made here, its signature in the token.
Status MakeRequest(const Call& call, Reply& reply) {
  const std::string_view name = call.fields.Text("name");
  const auto found = EngineOf(call).Find(ReaderOf(call), name);
  if (!found && found.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, "key with provided name '" + std::string(name) + "' not found");
  }
  if (!found) return Fail(found.error());
  const keyring::Key& key = **found;
  COFFER_TRY(RequireSigning(key));
  const auto wanted = key.ForCertificateRequest(call.fields.Int("version"));
  if (!wanted) {
    return Fail(wanted.error().code, "could not create the csr: " + ClientText(wanted.error()));
  }
  const keyring::KeyVersion* const version = *wanted;
  if (!version->public_key) return Fail(Code::kCorrupt, "key version has no public key");
  COFFER_ASSIGN(auto request, crypto::CertificateRequest::FromTemplate(call.fields.Text("csr"),
                                                                       *version->public_key));
  transit::SignOptions options;
  options.padding = transit::SignOptions::Padding::kPkcs1;
  options.hash = request.Hash();
  options.certificate_request = true;
  const transit::SignItem item{request.ToBeSigned(), version->info.version};
  COFFER_ASSIGN(const auto made, EngineOf(call).Sign(CallerOf(call), name, {&item, 1}, options));
  if (!made.front()) return Fail(made.front().error());
  COFFER_ASSIGN(const std::string pem, request.Finish(made.front()->octets));
  reply.json.BeginObject().Key("name").Text(key.name).Key("type").Text(key.Info().name);
  reply.json.Key("csr").Text(pem).EndObject();
  return {};
}

}  // namespace

void AddTransitCsrEndpoints(std::vector<Endpoint>& table) {
  Endpoint csr{"keys/:name/csr", "A certificate request for the key, signed in the token.", {}, {}};
  csr.fields = {kName,
                {"version", FieldType::kInt, "0", "The version; 0: latest."},
                {"csr", FieldType::kText, "",
                 "PEM of a request whose subject and attributes are taken; empty: none."}};
  csr.operations = {{Verb::kWrite, Capability::kUpdate, MakeRequest}};
  csr.keeps_state = true;
  table.push_back(std::move(csr));
}

}  // namespace coffer::api
