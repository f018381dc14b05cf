// The keys that seal records: what they are, and their rotation.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "api/vault/system/system_call.h"
#include "coffer/keyring/key_type.h"

namespace coffer::api {
namespace {

Result<barrier::Barrier*> BarrierOf(const Call& call) {
  barrier::Barrier* const barrier = PartsOf(call).barrier;
  if (barrier == nullptr || call.lane == nullptr) {
    return Fail(Code::kUnavailable, "this server has no barrier");
  }
  return barrier;
}

void WriteOwnerKey(const barrier::OwnerKey& key, JsonWriter& json) {
  json.BeginObject();
  json.Key("owner").Text(key.owner);
  json.Key("damaged").Bool(key.damaged);
  if (!key.damaged) {
    json.Key("custody").Text(keyring::CustodyName(key.custody));
    json.Key("version").Int(key.version);
    json.Key("resident_versions").Int(static_cast<std::int64_t>(key.resident_versions));
    json.Key("creation_time").Text(Rfc3339(key.created));
    json.Key("encryptions").Int(key.sealed);
  }
  json.EndObject();
}

Status ReadBarrierKeys(const Call& call, Reply& reply) {
  COFFER_ASSIGN(barrier::Barrier* const barrier, BarrierOf(call));
  COFFER_ASSIGN(const auto keys, barrier->List(*call.lane));
  JsonWriter& json = reply.json.BeginObject();
  json.Key("keys").BeginArray();
  for (const barrier::OwnerKey& key : keys) WriteOwnerKey(key, json);
  json.EndArray().EndObject();
  return {};
}

// The reference has one key; this server has one for each owner of records. The term is the
// greatest of their versions.
Status ReadKeyStatus(const Call& call, Reply& reply) {
  COFFER_ASSIGN(barrier::Barrier* const barrier, BarrierOf(call));
  COFFER_ASSIGN(const auto keys, barrier->List(*call.lane));
  std::int64_t term = 0;
  std::int64_t encryptions = 0;
  SystemTime installed{};
  for (const barrier::OwnerKey& key : keys) {
    term = std::max<std::int64_t>(term, key.version);
    encryptions += key.sealed;
    installed = std::max(installed, key.created);
  }
  JsonWriter& json = reply.json.BeginObject();
  json.Key("term").Int(term);
  json.Key("install_time").Text(Rfc3339(installed));
  json.Key("encryptions").Int(encryptions);
  json.EndObject();
  return {};
}

Status RotateBarrierKeys(const Call& call, Reply& reply) {
  COFFER_ASSIGN(barrier::Barrier* const barrier, BarrierOf(call));
  COFFER_TRY(barrier->RotateAll());
  return reply.NoContent();
}

}  // namespace

void AddBarrierEndpoints(std::vector<Endpoint>& table) {
  Endpoint keys{"barrier/keys", "The keys that seal records: one for each owner.", {}, {}};
  keys.operations = {{Verb::kRead, Capability::kRead, ReadBarrierKeys}};
  table.push_back(std::move(keys));
  Endpoint status{"key-status", "The keys that seal records, as one.", {}, {}};
  status.operations = {{Verb::kRead, Capability::kRead, ReadKeyStatus}};
  status.data_at_top = true;
  table.push_back(std::move(status));
  for (const std::string_view pattern : {"rotate", "rotate/keyring"}) {
    Endpoint rotate{pattern, "Gives each owner of records a new version of its key.", {}, {}};
    rotate.operations = {{Verb::kWrite, Capability::kUpdate, RotateBarrierKeys, true}};
    rotate.operations.front().sudo = true;
    table.push_back(std::move(rotate));
  }
}

}  // namespace coffer::api
