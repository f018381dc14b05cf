#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "api/vault/system/mount_info.h"
#include "api/vault/system/remount_log.h"
#include "api/vault/system/system_call.h"
#include "coffer/base/ids.h"

namespace coffer::api {
namespace {

using MountPointer = std::shared_ptr<const mounts::Mount>;

MountPointer FindMount(const Call& call, const mounts::MountPath& path) {
  for (MountPointer& mount : PartsOf(call).mounts.List()) {
    if (mount->path == path) return mount;
  }
  return nullptr;
}

// Auth methods are mounted below this prefix, and shown without it.
constexpr std::string_view kAuthPrefix = "auth/";

bool IsAuth(const EngineType& built_in) { return built_in.path.starts_with(kAuthPrefix); }

// The secrets engine that is built in at exactly `path`, or null.
const EngineType* FindBuiltIn(const Call& call, std::string_view path) {
  const RegisteredEngine* const engine = call.registry.BuiltInAt(path);
  const bool there = engine != nullptr && engine->Type().path == path && !IsAuth(engine->Type());
  return there ? &engine->Type() : nullptr;
}

// The built-in engines: the auth methods if `auth` is true, else the secrets engines.
std::vector<const EngineType*> BuiltIn(const Call& call, bool auth) {
  std::vector<const EngineType*> types;
  for (const auto& engine : call.registry.Engines()) {
    const EngineType& type = engine->Type();
    if (type.place == MountPlace::kBuiltIn && IsAuth(type) == auth) types.push_back(&type);
  }
  return types;
}

auto NoMountAt(const mounts::MountPath& path) {
  return Fail(Code::kInvalid, "No secret engine mount at " + path.Text());
}

auto NothingToTune(const mounts::MountPath& path) {
  return Fail(Code::kInvalid, "tune of path \"" + path.Text() + "\" failed: no mount entry found");
}

Result<mounts::MountPath> MountPathOf(const Call& call) {
  return mounts::MountPath::Parse(call.fields.Text("path"));
}

std::vector<FieldSpec> TuningFields() {
  return {{"path", FieldType::kText, "", "The mount's path."},
          {"default_lease_ttl", FieldType::kText, "", "A duration; 0 or system: the system's."},
          {"max_lease_ttl", FieldType::kText, "", "A duration; 0 or system: the system's."},
          {"description", FieldType::kText, "", "A note for people."},
          {"force_no_cache", FieldType::kBool, "", "Kept, without effect."},
          {"listing_visibility", FieldType::kText, "", "unauth, hidden or empty."},
          {"options", FieldType::kKeyValues, "", "Options of the engine; an empty one goes."},
          {"audit_non_hmac_request_keys", FieldType::kTexts, "", "Kept, without effect."},
          {"audit_non_hmac_response_keys", FieldType::kTexts, "", "Kept, without effect."},
          {"passthrough_request_headers", FieldType::kTexts, "", "Kept, without effect."},
          {"allowed_response_headers", FieldType::kTexts, "", "Kept, without effect."},
          {"token_type", FieldType::kText, "", "Refused: for auth methods."},
          {"user_lockout_config", FieldType::kMap, "", "Refused: for auth methods."},
          {"plugin_version", FieldType::kText, "", "Refused: engines are built in."}};
}

Status ListMounts(const Call& call, Reply& reply) {
  reply.json.BeginObject();
  for (const EngineType* const type : BuiltIn(call, false)) {
    reply.json.Key(type->path).BeginObject();
    WriteMountInfo(*type, reply.json);
    reply.json.EndObject();
  }
  for (const MountPointer& mount : PartsOf(call).mounts.List()) {
    reply.json.Key(mount->path.Text()).BeginObject();
    WriteMountInfo(*mount, reply.json);
    reply.json.EndObject();
  }
  reply.json.EndObject();
  return {};
}

Status ReadMount(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const auto path, MountPathOf(call));
  reply.json.BeginObject();
  if (const EngineType* const builtin = FindBuiltIn(call, path.Text())) {
    WriteMountInfo(*builtin, reply.json);
  } else if (const MountPointer mount = FindMount(call, path)) {
    WriteMountInfo(*mount, reply.json);
  } else {
    return NoMountAt(path);
  }
  reply.json.EndObject();
  return {};
}

Status EnableMount(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  COFFER_ASSIGN(const auto path, MountPathOf(call));
  std::string_view type = fields.Text("type");
  if (type.empty() || type == "plugin") type = fields.Text("plugin_name");
  if (type.empty()) return Fail(Code::kInvalid, "backend type must be specified as a string");
  if (call.registry.Find(type, MountPlace::kSecret) == nullptr) {
    return Fail(Code::kInvalid, "plugin not found in the catalog: " + std::string(type));
  }
  mounts::MountConfig config;
  config.description = fields.Text("description");
  config.local = fields.Bool("local");
  config.seal_wrap = fields.Bool("seal_wrap");
  config.external_entropy_access = fields.Bool("external_entropy_access");
  if (const JsonValue* tuning = fields.Find("config"))
    COFFER_TRY(ApplyTuning(*tuning, type, config));
  if (const JsonValue* options = fields.Find("options"))
    COFFER_TRY(ApplyOptions(*options, type, config));
  const auto added = PartsOf(call).mounts.Add(path, std::string(type), std::move(config));
  COFFER_TRY(added);
  return reply.NoContent();
}

// Removes everything that belongs to the mount, then the mount. If that fails on the way, the mount
// is still there and can be disabled again; keys without a mount could not even be named.
Status DisableMount(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const auto path, MountPathOf(call));
  if (PartsOf(call).mounts.Reserved(path)) {
    return Fail(Code::kInvalid, "cannot unmount \"" + path.Text() + "\"");
  }
  const MountPointer mount = FindMount(call, path);
  if (mount == nullptr) return reply.NoContent();
  const RegisteredEngine* const engine = call.registry.EngineOf(*mount);
  if (engine == nullptr) {
    return Fail(Code::kInvalid,
                "cannot unmount \"" + path.Text() + "\": this server does not have its engine");
  }
  if (const auto end = engine->Type().end_of_mount; end != nullptr) {
    COFFER_TRY(end(engine->State(), *mount));
  }
  COFFER_TRY(PartsOf(call).mounts.Remove(path));
  return reply.NoContent();
}

Status ReadTuning(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const auto path, MountPathOf(call));
  mounts::MountConfig config;
  if (const EngineType* const builtin = FindBuiltIn(call, path.Text())) {
    config.description = builtin->description;
  } else if (const MountPointer mount = FindMount(call, path)) {
    config = mount->config;
  } else {
    return NoMountAt(path);
  }
  reply.json.BeginObject();
  WriteTuning(config, reply.json);
  reply.json.EndObject();
  return {};
}

Status WriteTuningOf(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  COFFER_ASSIGN(const auto path, MountPathOf(call));
  if (PartsOf(call).mounts.Reserved(path)) {
    return Fail(Code::kInvalid, "cannot tune \"" + path.Text() + "\"");
  }
  const MountPointer mount = FindMount(call, path);
  if (mount == nullptr) return NothingToTune(path);
  mounts::MountConfig config = mount->config;
  JsonValue::Object tuning;
  for (const FieldSpec& field : TuningFields()) {
    if (field.name == "path") continue;
    if (const JsonValue* value = fields.Find(field.name)) {
      tuning.push_back({std::string(field.name), *value});
    }
  }
  COFFER_TRY(ApplyTuning(JsonValue(JsonValue::Data(std::move(tuning))), mount->type, config));
  const auto done = PartsOf(call).mounts.Tune(path, std::move(config));
  if (!done && done.error().code == Code::kNotFound) return NothingToTune(path);
  COFFER_TRY(done);
  return reply.NoContent();
}

Status WriteRemount(const Call& call, Reply& reply) {
  if (call.fields.Text("from").empty() || call.fields.Text("to").empty()) {
    return Fail(Code::kInvalid, "both 'from' and 'to' path must be specified as a string");
  }
  COFFER_ASSIGN(const auto from, mounts::MountPath::Parse(call.fields.Text("from")));
  COFFER_ASSIGN(const auto to, mounts::MountPath::Parse(call.fields.Text("to")));
  if (PartsOf(call).mounts.Reserved(from)) {
    return Fail(Code::kInvalid, "cannot remount \"" + from.Text() + "\"");
  }
  const auto moved = PartsOf(call).mounts.Move(from, to);
  if (!moved && moved.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, "no matching mount at \"" + from.Text() + "\"");
  }
  COFFER_TRY(moved);
  const std::string id = Id::Generate(PartsOf(call).random).ToUuid();
  SystemOf(call).remounts.Add({id, from.Text(), to.Text()});
  reply.json.BeginObject().Key("migration_id").Text(id).EndObject();
  return {};
}

Status ReadRemountStatus(const Call& call, Reply& reply) {
  const auto remount = SystemOf(call).remounts.Find(call.fields.Text("migration_id"));
  if (!remount) return Fail(Code::kNotFound, "");
  JsonWriter& json = reply.json.BeginObject();
  json.Key("migration_id").Text(remount->id);
  json.Key("migration_info").BeginObject();
  json.Key("source_mount").Text(remount->from);
  json.Key("target_mount").Text(remount->to);
  json.Key("status").Text("success");
  json.EndObject().EndObject();
  return {};
}

bool Visible(const Call& call, const mounts::Mount& mount) {
  return mount.config.listing_visibility == "unauth" ||
         (call.rules != nullptr && call.rules->MayReachBelow(mount.path.Text()));
}

Status ListVisibleMounts(const Call& call, Reply& reply) {
  JsonWriter& json = reply.json.BeginObject();
  json.Key("secret").BeginObject();
  for (const MountPointer& mount : PartsOf(call).mounts.List()) {
    if (!Visible(call, *mount)) continue;
    json.Key(mount->path.Text()).BeginObject();
    WriteMountInfo(*mount, json);
    json.EndObject();
  }
  json.EndObject().Key("auth").BeginObject();
  for (const EngineType* const type : BuiltIn(call, true)) {
    if (call.rules == nullptr || !call.rules->MayReachBelow(type->path)) continue;
    json.Key(type->path.substr(kAuthPrefix.size())).BeginObject();
    WriteMountInfo(*type, json);
    json.EndObject();
  }
  json.EndObject().EndObject();
  return {};
}

// Answers which mount serves a path.
Status ReadVisibleMount(const Call& call, Reply& reply) {
  const std::string path(call.fields.Text("path"));
  auto route = PartsOf(call).mounts.Find(path);
  if (!route) route = PartsOf(call).mounts.Find(path + "/");
  if (!route || call.rules == nullptr || !call.rules->MayReachBelow(route->mount->path.Text())) {
    return Fail(Code::kPermissionDenied,
                "preflight capability check returned 403, please ensure client's policies grant "
                "access to path \"" +
                    path + (path.ends_with('/') ? "\"" : "/\""));
  }
  reply.json.BeginObject();
  WriteMountInfo(*route->mount, reply.json);
  reply.json.Key("path").Text(route->mount->path.Text()).EndObject();
  return {};
}

}  // namespace

void AddMountEndpoints(std::vector<Endpoint>& table) {
  const FieldSpec path{"path", FieldType::kText, "", "The mount's path."};
  Endpoint list{"mounts", "The secret engines.", {}, {}};
  list.operations = {{Verb::kRead, Capability::kRead, ListMounts}};
  list.data_at_top = true;
  table.push_back(std::move(list));
  Endpoint tune{"mounts/*path/tune", "A mount's settings.", TuningFields(), {}};
  tune.operations = {{Verb::kRead, Capability::kRead, ReadTuning},
                     {Verb::kWrite, Capability::kUpdate, WriteTuningOf, true}};
  tune.data_at_top = true;
  table.push_back(std::move(tune));
  Endpoint mount{"mounts/*path", "A mount.", {}, {}};
  mount.fields = {path,
                  {"type", FieldType::kText, "", "transit.", false, true},
                  {"description", FieldType::kText, "", "A note for people."},
                  {"config", FieldType::kMap, "", "Settings, as tune has them."},
                  {"options", FieldType::kKeyValues, "", "Options of the engine."},
                  {"local", FieldType::kBool, "false", "Kept, without effect."},
                  {"seal_wrap", FieldType::kBool, "false",
                   "Kept, without effect: keys are always in the token."},
                  {"external_entropy_access", FieldType::kBool, "false",
                   "Kept, without effect: the token's randomness is always used."},
                  {"plugin_name", FieldType::kText, "", "Old name of type."}};
  mount.operations = {{Verb::kRead, Capability::kRead, ReadMount},
                      {Verb::kWrite, Capability::kUpdate, EnableMount, true},
                      {Verb::kDelete, Capability::kDelete, DisableMount, true}};
  mount.data_at_top = true;
  table.push_back(std::move(mount));
  Endpoint remount{"remount", "Moves a mount; its keys stay what they are.", {}, {}};
  remount.fields = {{"from", FieldType::kText, "", "The path now."},
                    {"to", FieldType::kText, "", "The new path."}};
  remount.operations = {{Verb::kWrite, Capability::kUpdate, WriteRemount, true}};
  remount.operations.front().sudo = true;
  remount.data_at_top = true;
  table.push_back(std::move(remount));
  table.push_back({"remount/status/=migration_id",
                   "How a remount went.",
                   {{"migration_id", FieldType::kText, "", "As remount answered."}},
                   {{Verb::kRead, Capability::kRead, ReadRemountStatus}}});
  Endpoint visible{"internal/ui/mounts", "The mounts that the caller may see.", {}, {}};
  visible.operations = {{Verb::kRead, Capability::kRead, ListVisibleMounts}};
  visible.unauthenticated = true;
  visible.slash_at_end = true;
  table.push_back(std::move(visible));
  Endpoint one{"internal/ui/mounts/*path", "The mount that serves a path.", {path}, {}};
  one.operations = {{Verb::kRead, Capability::kRead, ReadVisibleMount}};
  one.unauthenticated = true;
  table.push_back(std::move(one));
}

}  // namespace coffer::api
