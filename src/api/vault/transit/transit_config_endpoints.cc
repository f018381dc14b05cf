#include <string>
#include <utility>

#include "api/endpoint.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"
#include "api/vault/transit/transit_upsert.h"

namespace coffer::api {
namespace {

void WriteKeysConfig(const mounts::MountConfig& config, Reply& reply) {
  reply.json.BeginObject().Key("disable_upsert").Bool(UpsertDisabled(config)).EndObject();
}

Status ReadKeysConfig(const Call& call, Reply& reply) {
  WriteKeysConfig(call.mount->config, reply);
  return {};
}

// The setting is an option of the mount, so that sys/mounts shows it and tune changes it, too. As
// in Vault, a request that does not name it sets it to its default.
Status ConfigureKeys(const Call& call, Reply& reply) {
  mounts::MountConfig config = call.mount->config;
  const bool disabled = call.fields.Bool("disable_upsert");
  if (disabled != UpsertDisabled(config)) {
    std::erase_if(config.options,
                  [](const auto& option) { return option.first == kDisableUpsert; });
    config.options.emplace_back(kDisableUpsert, disabled ? "true" : "false");
    COFFER_TRY(call.engine.As<TransitParts>().mounts.Tune(call.mount->path, config));
  }
  WriteKeysConfig(config, reply);
  return {};
}

Status ReadCacheConfig(const Call&, Reply& reply) {
  reply.json.BeginObject().Key("size").Int(0).EndObject();
  return {};
}

Status ConfigureCache(const Call& call, Reply& reply) {
  const std::int64_t size = call.fields.Int("size");
  if (size != 0 && size < 10) {
    return Fail(Code::kInvalid, "size must be 0 or a value greater or equal to 10");
  }
  if (size != 0) {
    return Fail(Code::kInvalid,
                "the cache's size cannot be set: this server keeps handles of keys in the token, "
                "and drops the oldest by itself; size must be 0");
  }
  return ReadCacheConfig(call, reply);
}

}  // namespace

void AddTransitConfigEndpoints(std::vector<Endpoint>& table) {
  table.push_back({"config/keys",
                   "Settings for all keys of the mount.",
                   {{"disable_upsert", FieldType::kBool, "false",
                     "Whether encrypt refuses to make a key where there is none."}},
                   {{Verb::kRead, Capability::kRead, ReadKeysConfig},
                    {Verb::kWrite, Capability::kUpdate, ConfigureKeys}}});
  table.push_back({"cache-config",
                   "The cache of key handles; it cannot be set.",
                   {{"size", FieldType::kInt, "0", "0 only."}},
                   {{Verb::kRead, Capability::kRead, ReadCacheConfig},
                    {Verb::kWrite, Capability::kUpdate, ConfigureCache}}});
}

}  // namespace coffer::api
