#include <algorithm>
#include <optional>
#include <string>

#include "api/vault/system/system_call.h"
#include "coffer/base/parse.h"

namespace coffer::api {
namespace {

bool CanServe(const Call& call) { return !PartsOf(call).can_serve || PartsOf(call).can_serve(); }

Status ReadInit(const Call& call, Reply& reply) {
  reply.json.BeginObject().Key("initialized").Bool(PartsOf(call).tokens.Initialized()).EndObject();
  return {};
}

Status WriteInit(const Call& call, Reply&) {
  if (PartsOf(call).tokens.Initialized()) {
    return Fail(Code::kInvalid, "Vault is already initialized");
  }
  return Fail(Code::kInvalid, "this server is initialized by its own command, not by the API");
}

// The server is unsealed by its PKCS#11 token: a process that answers is unsealed.
Status ReadSealStatus(const Call& call, Reply& reply) {
  const ServerInfo& info = PartsOf(call).info;
  JsonWriter& json = reply.json.BeginObject();
  json.Key("type").Text("pkcs11");
  json.Key("initialized").Bool(PartsOf(call).tokens.Initialized());
  json.Key("sealed").Bool(false);
  json.Key("t").Int(0).Key("n").Int(0).Key("progress").Int(0).Key("nonce").Text("");
  json.Key("version").Text(info.version);
  json.Key("build_date").Text(info.build_date);
  json.Key("migration").Bool(false);
  json.Key("cluster_name").Text(info.cluster_name);
  json.Key("cluster_id").Text(info.cluster_id);
  json.Key("recovery_seal").Bool(true);
  json.Key("storage_type").Text(info.storage_type);
  json.EndObject();
  return {};
}

// The status that the caller asks for in a state; `usual` if it asks for none.
Result<int> WantedCode(const Call& call, std::string_view parameter, int usual) {
  if (!call.fields.Has(parameter)) return usual;
  const auto code = ParseInt64(call.fields.Text(parameter));
  if (!code || *code < 200 || *code > 599) {
    return Fail(Code::kInvalid, "invalid status code in \"" + std::string(parameter) + "\"");
  }
  return static_cast<int>(*code);
}

// Returns true if a device is a file, so that the entry of a change of state is on a disk before
// its answer; nothing if there is no device.
std::optional<bool> AuditOnDisk(const Call& call) {
  if (PartsOf(call).audit_devices == nullptr) return std::nullopt;
  const auto devices = PartsOf(call).audit_devices->Counts();
  if (devices.empty()) return std::nullopt;
  return std::any_of(devices.begin(), devices.end(),
                     [](const audit::DeviceCounts& device) { return device.on_disk; });
}

Status ReadHealth(const Call& call, Reply& reply) {
  const ServerInfo& info = PartsOf(call).info;
  const bool initialized = PartsOf(call).tokens.Initialized();
  COFFER_ASSIGN(const int active, WantedCode(call, "activecode", 200));
  COFFER_ASSIGN(const int uninitialized, WantedCode(call, "uninitcode", 501));
  // No parameter changes the status of a lost token: a load balancer must not declare it healthy.
  reply.status = !CanServe(call) ? 503 : initialized ? active : uninitialized;
  if (reply.status == 204) return {};
  JsonWriter& json = reply.json.BeginObject();
  json.Key("initialized").Bool(initialized);
  json.Key("sealed").Bool(false);
  json.Key("standby").Bool(false);
  json.Key("performance_standby").Bool(false);
  json.Key("replication_performance_mode").Text("disabled");
  json.Key("replication_dr_mode").Text("disabled");
  json.Key("server_time_utc").Int(UnixSeconds(PartsOf(call).clock.Now()));
  json.Key("version").Text(info.version);
  json.Key("enterprise").Bool(false);
  json.Key("cluster_name").Text(info.cluster_name);
  json.Key("cluster_id").Text(info.cluster_id);
  json.Key("token_reachable").Bool(CanServe(call));
  json.Key("imported_through").Text(info.imported_through);
  if (const auto on_disk = AuditOnDisk(call)) json.Key("audit_on_disk").Bool(*on_disk);
  json.EndObject();
  return {};
}

Status ReadLeader(const Call&, Reply& reply) {
  JsonWriter& json = reply.json.BeginObject();
  json.Key("ha_enabled").Bool(false);
  json.Key("is_self").Bool(false);
  json.Key("leader_address").Text("");
  json.Key("leader_cluster_address").Text("");
  json.EndObject();
  return {};
}

FieldSpec CodeField(std::string_view name) {
  return {name, FieldType::kText, "", "HTTP status to answer with in this state."};
}

}  // namespace

void AddSystemEndpoints(std::vector<Endpoint>& table) {
  Endpoint init{"init", "Whether the server is initialized.", {}, {}, true, true};
  init.operations = {{Verb::kRead, Capability::kRead, ReadInit},
                     {Verb::kWrite, Capability::kUpdate, WriteInit}};
  table.push_back(std::move(init));

  Endpoint seal{"seal-status", "The state of the seal.", {}, {}, true, true};
  seal.tells_health = true;
  seal.operations = {{Verb::kRead, Capability::kRead, ReadSealStatus}};
  table.push_back(std::move(seal));

  Endpoint health{"health", "Whether the server can serve.", {}, {}, true, true};
  health.fields = {CodeField("activecode"),
                   CodeField("standbycode"),
                   CodeField("sealedcode"),
                   CodeField("uninitcode"),
                   CodeField("drsecondarycode"),
                   CodeField("performancestandbycode"),
                   {"standbyok", FieldType::kText, "", "Answer a standby as if it were active."},
                   {"perfstandbyok", FieldType::kText, "", "Likewise."}};
  health.tells_health = true;
  health.operations = {{Verb::kRead, Capability::kRead, ReadHealth}};
  table.push_back(std::move(health));

  Endpoint leader{"leader", "Who leads the cluster.", {}, {}, true, true};
  leader.tells_health = true;
  leader.operations = {{Verb::kRead, Capability::kRead, ReadLeader}};
  table.push_back(std::move(leader));
}

}  // namespace coffer::api
