#include <string>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"
#include "coffer/base/base64.h"

namespace coffer::api {
namespace {

Status WriteWrappingKey(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const keyring::ImportWrapping wrapping, EngineOf(call).ImportWrappingKey());
  COFFER_ASSIGN(const auto key, crypto::PublicKey::FromSpki(wrapping.spki));
  reply.json.BeginObject().Key("public_key").Text(key->Pem());
  reply.json.Key("supported_hash_functions").BeginArray();
  for (const crypto::HashAlgorithm hash : wrapping.hashes) {
    reply.json.Text(keyring::OaepHashName(hash));
  }
  reply.json.EndArray();
  reply.json.Key("imported_through").Text(keyring::ImportedThroughName(wrapping.through));
  reply.json.EndObject();
  return {};
}

Status DestroyWrappingKey(const Call& call, Reply& reply) {
  COFFER_TRY(EngineOf(call).DestroyImportWrappingKey());
  return reply.NoContent();
}

Result<keyring::ImportedMaterial> MaterialOf(const Fields& fields) {
  keyring::ImportedMaterial material;
  const std::string_view pem = fields.Text("public_key");
  const std::string_view ciphertext = fields.Text("ciphertext");
  if (pem.empty() == ciphertext.empty()) {
    return Fail(Code::kInvalid, "provide one of 'ciphertext' and 'public_key'");
  }
  if (!pem.empty()) {
    const auto key = crypto::PublicKey::FromPem(pem);
    if (!key)
      return Fail(Code::kInvalid,
                  "error parsing public key: not a PEM of a key type here, or an RSA "
                  "key with an exponent below 65537 or an even number");
    if (!(*key)->IsSound()) {
      return Fail(Code::kInvalid,
                  "error parsing public key: its modulus is not a product of two large primes");
    }
    material.public_key = *key;
    return material;
  }
  COFFER_ASSIGN(material.hash, HashOf(fields.Text("hash_function")));
  COFFER_ASSIGN(material.wrapped, Base64Decode(ciphertext));
  return material;
}

Status ImportKey(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  keyring::CreateOptions options;
  COFFER_ASSIGN(options.type, keyring::ParseKeyType(fields.Text("type")));
  options.exportable = fields.Bool("exportable");
  if (options.exportable) COFFER_TRY(CheckKeyExport(call));
  options.derived = fields.Bool("derived");
  options.convergent = fields.Bool("convergent_encryption");
  options.allow_plaintext_backup = fields.Bool("allow_plaintext_backup");
  options.auto_rotate_period_seconds = fields.Int("auto_rotate_period");
  COFFER_ASSIGN(const auto name, keyring::KeyName::Parse(fields.Text("name")));
  COFFER_ASSIGN(const auto material, MaterialOf(fields));
  COFFER_TRY(EngineOf(call).Import(CallerOf(call), name, options, fields.Bool("allow_rotation"),
                                   material));
  return reply.NoContent();
}

Status ImportVersion(const Call& call, Reply& reply) {
  const std::string_view name = call.fields.Text("name");
  COFFER_ASSIGN(const auto material, MaterialOf(call.fields));
  const auto done = EngineOf(call).ImportVersion(CallerOf(call), name, material);
  if (!done && done.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, "no key found with name " + std::string(name) +
                                    "; to import a new key, use the import/ endpoint");
  }
  if (!done) return Fail(done.error());
  return reply.NoContent();
}

std::vector<FieldSpec> MaterialFields() {
  return {kName,
          {"ciphertext", FieldType::kText, "", "Base64 of the wrapped key (docs/compat.md).", true},
          {"public_key", FieldType::kText, "", "PEM of a public key, where there is no more."},
          {"hash_function", FieldType::kText, "SHA256",
           "Of RSA-OAEP; one of wrapping_key's supported_hash_functions.", false, true}};
}

}  // namespace

void AddTransitImportEndpoints(std::vector<Endpoint>& table) {
  table.push_back({"wrapping_key",
                   "The key that imported keys are wrapped for.",
                   {},
                   {{Verb::kRead, Capability::kRead, WriteWrappingKey, true},
                    {Verb::kDelete, Capability::kDelete, DestroyWrappingKey, true}}});
  Endpoint import{
      "keys/:name/import", "Makes a key from one made elsewhere.", MaterialFields(), {}};
  import.fields.push_back(
      {"type", FieldType::kText, "aes256-gcm96", "The key's type.", false, true});
  import.fields.push_back(
      {"allow_rotation", FieldType::kBool, "false", "Whether further versions may be made here."});
  import.fields.push_back({"derived", FieldType::kBool, "false",
                           "Where the token has HKDF only; then as for other keys."});
  import.fields.push_back(
      {"convergent_encryption", FieldType::kBool, "false", "Not for imported keys."});
  import.fields.push_back({"exportable", FieldType::kBool, "false", "Not for imported keys."});
  import.fields.push_back(
      {"allow_plaintext_backup", FieldType::kBool, "false", "Recorded with the key."});
  import.fields.push_back(
      {"auto_rotate_period", FieldType::kSeconds, "0", "0, or an hour or more."});
  import.operations = {{ Verb::kWrite, Capability::kUpdate, ImportKey, true }};
  table.push_back(std::move(import));
  Endpoint version{
      "keys/:name/import_version", "A further version of an imported key.", MaterialFields(), {}};
  version.operations = {{Verb::kWrite, Capability::kUpdate, ImportVersion, true}};
  table.push_back(std::move(version));
}

}  // namespace coffer::api
