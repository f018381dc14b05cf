// Keys wrapped in the token for another server, in the form that its import takes.

#include <string>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/wanted_version.h"

namespace coffer::api {
namespace {

// Each version takes about a millisecond in the token, during which no key can be changed.
constexpr std::size_t kMostVersions = 100;

Result<std::shared_ptr<const keyring::Key>> KeyFor(const Call& call, std::string_view field,
                                                   const char* absent) {
  auto found = EngineOf(call).Find(ReaderOf(call), call.fields.Text(field));
  if (!found && found.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, std::string(absent));
  }
  if (found && (*found)->settings.soft_deleted) return Fail(Refusal::kKeySoftDeleted);
  return found;
}

// The public key of the server that will unwrap the export.
Result<crypto::PublicKey::Shared> DestinationOf(const keyring::Key& key) {
  if (key.Info().family != keyring::Family::kRsa) {
    return Fail(Code::kInvalid, "destination key is of type " + std::string(key.Info().name) +
                                    ": it must be an RSA key");
  }
  COFFER_ASSIGN(const keyring::KeyVersion* const latest, key.ForEncryption(0));
  if (!latest->public_key) return Fail(Code::kCorrupt, "key version has no public key");
  return latest->public_key;
}

Status ExportForOthers(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const auto destination,
                KeyFor(call, "destination", "no such destination key to export to"));
  COFFER_ASSIGN(const auto source, KeyFor(call, "source", "no such source key for export"));
  if (!source->exportable) return Fail(Refusal::kKeyNotExportable);
  COFFER_TRY(CheckKeyExport(call));
  COFFER_ASSIGN(const crypto::HashAlgorithm hash, HashOf(call.fields.Text("hash")));
  COFFER_ASSIGN(const auto public_key, DestinationOf(*destination));
  COFFER_ASSIGN(const auto wanted, WantedVersion(*source, call.fields.Text("version")));
  if (!wanted && source->versions.size() > kMostVersions) {
    return Fail(Code::kInvalid, "key has more than " + std::to_string(kMostVersions) +
                                    " versions: name the version to export");
  }
  reply.json.BeginObject().Key("name").Text(source->name);
  reply.json.Key("type").Text(source->Info().name);
  reply.json.Key("keys").BeginObject();
  for (const auto& [number, version] : source->versions) {
    if (wanted ? number != *wanted : number < source->settings.min_decryption_version) continue;
    COFFER_ASSIGN(const Bytes wrapped, EngineOf(call).Export(*source, version, *public_key, hash));
    reply.json.Key(std::to_string(number)).Base64(wrapped);
  }
  reply.json.EndObject().EndObject();
  return {};
}

Endpoint ByokExportEndpoint(std::string_view pattern) {
  Endpoint endpoint{
      pattern, "An exportable key, wrapped in the token for the holder of an RSA key.", {}, {}};
  endpoint.fields = {{"destination", FieldType::kText, "", "The RSA key that it is wrapped for."},
                     {"source", FieldType::kText, "", "The key that is wrapped."},
                     {"version", FieldType::kText, "", "latest, N or vN; all where not given."},
                     {"hash", FieldType::kText, "SHA256",
                      "Of RSA-OAEP; an error names those that the token wraps with.", false, true}};
  endpoint.operations = {{Verb::kRead, Capability::kRead, ExportForOthers, true}};
  endpoint.keeps_state = true;
  return endpoint;
}

}  // namespace

void AddTransitByokEndpoints(std::vector<Endpoint>& table) {
  table.push_back(ByokExportEndpoint("byok-export/:destination/:source"));
  table.push_back(ByokExportEndpoint("byok-export/:destination/:source/=version"));
}

}  // namespace coffer::api
