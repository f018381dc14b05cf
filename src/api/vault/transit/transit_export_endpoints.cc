#include <optional>
#include <string>
#include <utility>

#include "api/endpoint.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"
#include "api/vault/transit/wanted_version.h"

namespace coffer::api {
namespace {

// Writes a public key as Vault does: only the PEM of an RSA key ends in a newline.
void WritePublicKey(const keyring::KeyTypeInfo& type, const keyring::KeyVersion& version,
                    std::string_view format, JsonWriter& json) {
  const crypto::PublicKey& key = *version.public_key;
  const bool ed25519 = type.family == keyring::Family::kEd25519;
  if (format == "der") {
    json.Base64(key.Spki());
  } else if (ed25519 && format != "pem") {
    json.Base64(key.Raw());
  } else {
    std::string pem = key.Pem();
    if (type.family != keyring::Family::kRsa && pem.ends_with('\n')) pem.pop_back();
    json.Text(pem);
  }
}

// Only a key's public part and its certificates leave, in the formats that its type has.
Status CheckExport(const keyring::Key& key, std::string_view type, std::string_view format) {
  const auto refuse = [](std::string text) { return Fail(Code::kInvalid, std::move(text)); };
  const keyring::KeyTypeInfo& info = key.Info();
  if (key.settings.soft_deleted) return refuse("refusing to use soft-deleted key");
  if (type == "certificate-chain") {
    if (info.signs) return {};
    return refuse("certificate chain not supported for keys that do not support signing");
  }
  if (type == "encryption-key" && !info.encrypts) {
    return refuse("encryption not supported for the key");
  }
  if (type == "signing-key" && !info.signs) return refuse("signing not supported for the key");
  if (type != "public-key") return refuse("private key material is not exportable");
  if (!info.Asymmetric()) {
    return refuse("unknown key type " + std::string(info.name) + " for export type public-key");
  }
  if (format == "raw" && info.family != keyring::Family::kEd25519) {
    return refuse(std::string("unknown key format for ") +
                  (info.family == keyring::Family::kRsa ? "rsa" : "ec") +
                  " key; supported values are ``, `der`, or `pem`");
  }
  return {};
}

// Exports public keys and certificates: secret and private keys leave the token wrapped only
// (transit_byok_endpoints.cc).
Status Export(const Call& call, Reply& reply) {
  const std::string_view type = call.fields.Text("type");
  const std::string_view format = call.fields.Text("format");
  const bool known = type == "encryption-key" || type == "signing-key" || type == "hmac-key" ||
                     type == "public-key" || type == "certificate-chain";
  if (!known) return Fail(Code::kInvalid, "invalid export type: " + std::string(type));
  if (!format.empty() && format != "raw" && format != "der" && format != "pem") {
    return Fail(Code::kInvalid, "invalid format: " + std::string(format));
  }
  const auto found = EngineOf(call).Find(ReaderOf(call), call.fields.Text("name"));
  if (!found) {
    return found.error().code == Code::kNotFound ? Fail(Code::kNotFound, "") : Fail(found.error());
  }
  const keyring::Key& key = **found;
  COFFER_TRY(CheckExport(key, type, format));
  COFFER_ASSIGN(const auto wanted, WantedVersion(key, call.fields.Text("version")));
  reply.json.BeginObject().Key("name").Text(key.name).Key("type").Text(key.Info().name);
  reply.json.Key("keys").BeginObject();
  for (const auto& [number, version] : key.versions) {
    if (wanted ? number != *wanted : number < key.settings.min_decryption_version) continue;
    if (type == "certificate-chain") {
      if (version.certificate_chain.empty()) continue;
      reply.json.Key(std::to_string(number)).Text(version.certificate_chain);
    } else {
      reply.json.Key(std::to_string(number));
      WritePublicKey(key.Info(), version, format, reply.json);
    }
  }
  reply.json.EndObject().EndObject();
  return {};
}

Endpoint ExportEndpoint(std::string_view pattern) {
  Endpoint endpoint{
      pattern, "Public keys and certificates; private ones stay in the token.", {}, {}};
  endpoint.fields = {
      kName,
      {"type", FieldType::kText, "", "public-key or certificate-chain; all others are refused."},
      {"version", FieldType::kText, "", "latest, N or vN; all where not given."},
      {"format", FieldType::kText, "",
       "pem, der (Base64) or raw (Ed25519 only, and its default)."}};
  endpoint.operations = {{Verb::kRead, Capability::kRead, Export}};
  endpoint.keeps_state = true;
  return endpoint;
}

}  // namespace

void AddTransitExportEndpoints(std::vector<Endpoint>& table) {
  table.push_back(ExportEndpoint("export/=type/:name"));
  table.push_back(ExportEndpoint("export/=type/:name/=version"));
}

}  // namespace coffer::api
