#include <memory>
#include <string>
#include <utility>

#include "endpoint_table.h"
#include "key_type_names.h"

namespace coffer::api {
namespace {

keyring::KeyRing& Keys(const Call& call) { return call.services.engine.Keys(); }

// The key document. Versions below min_decryption_version are archived and not shown.
void WriteKey(const keyring::Key& key, JsonWriter& json) {
  const keyring::KeySettings& settings = key.settings;
  json.BeginObject();
  json.Key("name").Text(key.name);
  json.Key("type").Text(keyring::KeyTypeName(key.type));
  json.Key("custody").Text("wrapped");
  json.Key("derived").Bool(false);
  json.Key("deletion_allowed").Bool(settings.deletion_allowed);
  json.Key("min_available_version").Int(settings.min_available_version);
  json.Key("min_decryption_version").Int(settings.min_decryption_version);
  json.Key("min_encryption_version").Int(settings.min_encryption_version);
  json.Key("latest_version").Int(key.latest_version);
  json.Key("exportable").Bool(false);
  json.Key("allow_plaintext_backup").Bool(settings.allow_plaintext_backup);
  json.Key("supports_encryption").Bool(true);
  json.Key("supports_decryption").Bool(true);
  json.Key("supports_signing").Bool(false);
  json.Key("supports_derivation").Bool(false);
  json.Key("auto_rotate_period").Int(settings.auto_rotate_period_seconds);
  json.Key("imported_key").Bool(false);
  json.Key("soft_deleted").Bool(settings.soft_deleted);
  json.Key("keys").BeginObject();
  for (const auto& [number, version] : key.versions) {
    if (number < settings.min_decryption_version) continue;
    json.Key(std::to_string(number)).Int(UnixSeconds(version.info.created));
  }
  json.EndObject().EndObject();
}

// Answers with the changed key; an absent one is the caller's error with the verb's own text.
Status AnswerChanged(const keyring::KeyRing::Changed& changed, std::string absent_text,
                     Reply& reply) {
  if (!changed) {
    if (changed.error().code == Code::kNotFound) return Fail(Code::kInvalid, absent_text);
    return Fail(changed.error());
  }
  WriteKey(**changed, reply.json);
  return {};
}

std::string NoKeyNamed(std::string_view name) {
  return "no existing key named " + std::string(name) + " could be found";
}

Status ListKeys(const Call& call, Reply& reply) {
  COFFER_ASSIGN(
      const auto names,
      Keys(call).List(call.mount->id, call.fields.Text("after"),
                      call.fields.Int("limit") > 0 ? call.fields.Int("limit") : std::int64_t{0}));
  if (names.empty()) return Fail(Code::kNotFound, "");
  reply.json.BeginObject().Key("keys").BeginArray();
  for (const std::string& name : names) reply.json.Text(name);
  reply.json.EndArray().EndObject();
  return {};
}

Status RefuseUnavailableKinds(const Fields& fields) {
  if (fields.Bool("convergent_encryption") && !fields.Bool("derived")) {
    return Fail(Code::kInvalid, "convergent encryption requires derivation to be enabled");
  }
  if (fields.Bool("derived")) {
    return Fail(Code::kInvalid, "key derivation is not available on this server");
  }
  if (fields.Bool("exportable")) {
    return Fail(Code::kInvalid,
                "exporting keys is disabled on this server (key_export = \"none\")");
  }
  return {};
}

Status CreateKey(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  COFFER_ASSIGN(const keyring::KeyType type, KeyTypeOf(fields.Text("type")));
  COFFER_TRY(RefuseUnavailableKinds(fields));
  if (fields.Int("key_size") != 0) {
    return Fail(Code::kInvalid,
                "key_size is not valid for algorithm " + std::string(fields.Text("type")));
  }
  COFFER_ASSIGN(const auto name, keyring::KeyName::Parse(fields.Text("name")));
  keyring::CreateOptions options;
  options.type = type;
  options.allow_plaintext_backup = fields.Bool("allow_plaintext_backup");
  options.auto_rotate_period_seconds = fields.Int("auto_rotate_period");
  COFFER_ASSIGN(const auto created,
                Keys(call).Create(call.mount->id, name, options, call.Caller().actor));
  if (created.existed) reply.warnings.push_back("key " + name.Text() + " already existed");
  WriteKey(*created.key, reply.json);
  return {};
}

Status ReadKey(const Call& call, Reply& reply) {
  const auto key = Keys(call).Find(call.request.worker, call.mount->id, call.fields.Text("name"));
  if (!key) {
    if (key.error().code == Code::kNotFound) return Fail(Code::kNotFound, "");
    return Fail(key.error());
  }
  WriteKey(**key, reply.json);
  return {};
}

Status DeleteKey(const Call& call, Reply& reply) {
  const std::string_view name = call.fields.Text("name");
  const auto done = Keys(call).Delete(call.mount->id, name, call.Caller().actor);
  if (done) return reply.NoContent();
  const std::string prefix = "error deleting policy " + std::string(name) + ": ";
  if (done.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, prefix + "could not delete key; not found");
  }
  if (done.error().code == Code::kInvalid) {
    return Fail(Code::kInvalid, prefix + done.error().message);
  }
  return Fail(done.error());
}

Status RotateKey(const Call& call, Reply& reply) {
  return AnswerChanged(
      Keys(call).Rotate(call.mount->id, call.fields.Text("name"), call.Caller().actor),
      "key not found", reply);
}

Status ConfigureKey(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  if (fields.Bool("exportable")) {
    return Fail(Code::kInvalid,
                "key was created without exportable: its master forbids export; create a new "
                "exportable key");
  }
  keyring::ConfigChange change;
  if (fields.Has("min_decryption_version")) {
    change.min_decryption_version = fields.Int("min_decryption_version");
    if (*change.min_decryption_version == 0) {
      change.min_decryption_version = 1;
      reply.warnings.push_back(
          "since Vault 0.3, transit decryption numbering starts at 1; setting minimum to 1");
    }
  }
  if (fields.Has("min_encryption_version")) {
    change.min_encryption_version = fields.Int("min_encryption_version");
  }
  if (fields.Has("deletion_allowed")) change.deletion_allowed = fields.Bool("deletion_allowed");
  if (fields.Has("allow_plaintext_backup")) {
    change.allow_plaintext_backup = fields.Bool("allow_plaintext_backup");
  }
  if (fields.Has("auto_rotate_period")) {
    change.auto_rotate_period_seconds = fields.Int("auto_rotate_period");
  }
  const std::string_view name = fields.Text("name");
  return AnswerChanged(Keys(call).Configure(call.mount->id, name, change, call.Caller().actor),
                       NoKeyNamed(name), reply);
}

Status TrimKey(const Call& call, Reply& reply) {
  if (!call.fields.Has("min_available_version")) {
    return Fail(Code::kInvalid, "missing min_available_version");
  }
  return AnswerChanged(
      Keys(call).Trim(call.mount->id, call.fields.Text("name"),
                      call.fields.Int("min_available_version"), call.Caller().actor),
      "invalid key name", reply);
}

Status SetSoftDeleted(const Call& call, bool deleted, std::string_view already, Reply& reply) {
  const std::string_view name = call.fields.Text("name");
  const auto before = Keys(call).Find(call.request.worker, call.mount->id, name);
  if (before && (*before)->settings.soft_deleted == deleted) {
    reply.warnings.emplace_back(already);
    WriteKey(**before, reply.json);
    return {};
  }
  const auto changed =
      Keys(call).SetSoftDeleted(call.mount->id, name, deleted, call.Caller().actor);
  if (deleted && !changed && changed.error().code == Code::kNotFound) return reply.NoContent();
  return AnswerChanged(changed, NoKeyNamed(name), reply);
}

Status SoftDeleteKey(const Call& call, Reply& reply) {
  return SetSoftDeleted(call, true, "key was already marked as soft deleted", reply);
}

Status RestoreKey(const Call& call, Reply& reply) {
  return SetSoftDeleted(call, false, "key was already restored", reply);
}

constexpr FieldSpec kName{"name", FieldType::kText, "", "The key's name."};

void AddOne(std::vector<Endpoint>& table, std::string_view pattern, std::string_view help,
            std::vector<FieldSpec> fields, std::vector<Operation> operations) {
  fields.push_back(kName);
  table.push_back({pattern, help, std::move(fields), std::move(operations)});
}

}  // namespace

void AddTransitKeyEndpoints(std::vector<Endpoint>& table) {
  table.push_back({"keys",
                   "The names of the keys.",
                   {{"after", FieldType::kText, "", "Names after this one only."},
                    {"limit", FieldType::kInt, "0", "At most so many; 0: all."}},
                   {{Verb::kList, Capability::kList, ListKeys}}});
  AddOne(table, "keys/:name", "A named key.",
         {{"type", FieldType::kText, "aes256-gcm96", "aes128-gcm96 or aes256-gcm96.", false, true},
          {"derived", FieldType::kBool, "false", "Not available on this server."},
          {"convergent_encryption", FieldType::kBool, "false", "Not available on this server."},
          {"exportable", FieldType::kBool, "false", "Not available on this server."},
          {"allow_plaintext_backup", FieldType::kBool, "false", "Recorded with the key."},
          {"auto_rotate_period", FieldType::kSeconds, "0", "0, or an hour or more."},
          {"key_size", FieldType::kInt, "0", "For key type hmac only."},
          {"context", FieldType::kText, "", "For derived keys only.", true}},
         {{Verb::kRead, Capability::kRead, ReadKey},
          {Verb::kWrite, Capability::kUpdate, CreateKey, true},
          {Verb::kDelete, Capability::kDelete, DeleteKey, true}});
  AddOne(table, "keys/:name/config", "A key's settings; those that are given change.",
         {{"min_decryption_version", FieldType::kInt, "", "The oldest version that decrypts."},
          {"min_encryption_version", FieldType::kInt, "", "The oldest version that encrypts."},
          {"deletion_allowed", FieldType::kBool, "", "Whether the key may be deleted."},
          {"exportable", FieldType::kBool, "", "Not available on this server."},
          {"allow_plaintext_backup", FieldType::kBool, "", "Can only become true."},
          {"auto_rotate_period", FieldType::kSeconds, "", "0, or an hour or more."}},
         {{Verb::kWrite, Capability::kUpdate, ConfigureKey, true}});
  AddOne(table, "keys/:name/rotate", "Makes a new version.", {},
         {{Verb::kWrite, Capability::kUpdate, RotateKey, true}});
  AddOne(table, "keys/:name/trim", "Destroys the versions below one for good.",
         {{"min_available_version", FieldType::kInt, "", "The oldest version to keep."}},
         {{Verb::kWrite, Capability::kUpdate, TrimKey, true}});
  AddOne(table, "keys/:name/soft-delete", "Refuses any use of the key until it is restored.", {},
         {{Verb::kDelete, Capability::kDelete, SoftDeleteKey, true}});
  AddOne(table, "keys/:name/soft-delete-restore", "Takes a soft deletion back.", {},
         {{Verb::kWrite, Capability::kUpdate, RestoreKey, true}});
}

}  // namespace coffer::api
