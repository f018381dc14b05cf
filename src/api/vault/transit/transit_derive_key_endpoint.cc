#include <string>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"

namespace coffer::api {
namespace {

Result<keyring::KeyType> DerivedType(std::string_view name) {
  COFFER_ASSIGN(const keyring::KeyType type, keyring::ParseKeyType(name));
  const keyring::KeyTypeInfo& info = keyring::InfoOf(type);
  if (info.encrypts && !info.Asymmetric()) return type;
  return Fail(Code::kInvalid,
              "key type " + std::string(name) + " not supported for this operation");
}

Status DeriveKey(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  if (fields.Text("key_derivation_algorithm") != "ecdh") {
    return Fail(Code::kInvalid, "key derivation algorithm " +
                                    std::string(fields.Text("key_derivation_algorithm")) +
                                    " not supported");
  }
  const std::string_view pem = fields.Text("peer_public_key");
  if (pem.empty()) return Fail(Code::kInvalid, "peer public key not provided");
  COFFER_ASSIGN(const keyring::KeyType type, DerivedType(fields.Text("derived_key_type")));
  COFFER_ASSIGN(const auto name, keyring::KeyName::Parse(fields.Text("name")));
  const auto base = EngineOf(call).Find(ReaderOf(call), fields.Text("base_key_name"));
  if (!base && base.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, "specified base key not found");
  }
  if (!base) return Fail(base.error());
  const auto peer = crypto::PublicKey::FromPem(pem);
  if (!peer)
    return Fail(Code::kInvalid, "failed to read the peer public key: not PEM of an EC key");
  COFFER_ASSIGN(const keyring::KeyVersion* const version,
                (*base)->ForSigning(fields.Int("base_key_version")));
  COFFER_TRY(EngineOf(call).Agree(CallerOf(call), name, type, **base, *version, **peer));
  return reply.NoContent();
}

}  // namespace

void AddTransitDeriveKeyEndpoints(std::vector<Endpoint>& table) {
  Endpoint derive{
      "derive-key/:name",
      "Makes a key that an EC key and another party's agree on, where the token derives.",
      {},
      {}};
  derive.fields = {
      kName,
      {"base_key_name", FieldType::kText, "", "The EC key of this mount."},
      {"base_key_version", FieldType::kInt, "0", "Its version; 0: latest."},
      {"peer_public_key", FieldType::kText, "", "PEM of the other party's key, on the same curve."},
      {"key_derivation_algorithm", FieldType::kText, "ecdh", "ecdh.", false, true},
      {"derived_key_type", FieldType::kText, "aes256-gcm96",
       "aes128-gcm96, aes256-gcm96 or, where the token has it, chacha20-poly1305.", false, true}};
  derive.operations = {{Verb::kWrite, Capability::kUpdate, DeriveKey, true}};
  table.push_back(std::move(derive));
}

}  // namespace coffer::api
