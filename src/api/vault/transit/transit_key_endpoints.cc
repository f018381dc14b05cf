#include <memory>
#include <string>
#include <utility>

#include "api/endpoint.h"
#include "api/vault/errors.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"
#include "api/vault/transit/transit_key_document.h"

namespace coffer::api {
namespace {

// Answers with the changed key; an absent one is the caller's error with the verb's own text.
Status AnswerChanged(const transit::FoundKey& changed, std::string_view absent_text, Reply& reply) {
  if (!changed) {
    if (changed.error().code == Code::kNotFound)
      return Fail(Code::kInvalid, std::string(absent_text));
    return Fail(changed.error());
  }
  WriteKeyDocument(**changed, reply.json);
  return {};
}

std::string NoKeyNamed(std::string_view name) {
  return "no existing key named " + std::string(name) + " could be found";
}

Status ListKeys(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const auto names,
                EngineOf(call).List(
                    CallerOf(call), call.fields.Text("after"),
                    call.fields.Int("limit") > 0 ? call.fields.Int("limit") : std::int64_t{0}));
  if (names.empty()) return Fail(Code::kNotFound, "");
  reply.json.BeginObject().Key("keys").BeginArray();
  for (const std::string& name : names) reply.json.Text(name);
  reply.json.EndArray().EndObject();
  return {};
}

Status CreateKey(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  keyring::CreateOptions options;
  COFFER_ASSIGN(options.type, keyring::ParseKeyType(fields.Text("type")));
  options.exportable = fields.Bool("exportable");
  if (options.exportable) COFFER_TRY(CheckKeyExport(call));
  options.derived = fields.Bool("derived");
  options.convergent = fields.Bool("convergent_encryption");
  if (fields.Int("key_size") != 0) options.hmac_octets = fields.Int("key_size");
  COFFER_ASSIGN(const auto name, keyring::KeyName::Parse(fields.Text("name")));
  options.allow_plaintext_backup = fields.Bool("allow_plaintext_backup");
  options.auto_rotate_period_seconds = fields.Int("auto_rotate_period");
  COFFER_ASSIGN(const auto created, EngineOf(call).Create(CallerOf(call), name, options));
  if (created.existed) reply.warnings.push_back("key " + name.Text() + " already existed");
  WriteKeyDocument(*created.key, reply.json);
  return {};
}

Status ReadKey(const Call& call, Reply& reply) {
  const auto key = EngineOf(call).Find(ReaderOf(call), call.fields.Text("name"));
  if (!key) {
    if (key.error().code == Code::kNotFound) return Fail(Code::kNotFound, "");
    return Fail(key.error());
  }
  WriteKeyDocument(**key, reply.json);
  return {};
}

Status DeleteKey(const Call& call, Reply& reply) {
  const std::string_view name = call.fields.Text("name");
  const auto done = EngineOf(call).Delete(CallerOf(call), name);
  if (done) return reply.NoContent();
  const std::string prefix = "error deleting policy " + std::string(name) + ": ";
  if (done.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, prefix + "could not delete key; not found");
  }
  if (done.error().code == Code::kInvalid) {
    return Fail(Code::kInvalid, prefix + ClientText(done.error()));
  }
  return Fail(done.error());
}

Status RotateKey(const Call& call, Reply& reply) {
  return AnswerChanged(EngineOf(call).Rotate(CallerOf(call), call.fields.Text("name")),
                       "key not found", reply);
}

Status ConfigureKey(const Call& call, Reply& reply) {
  const Fields& fields = call.fields;
  if (fields.Bool("exportable")) {
    const auto key = EngineOf(call).Find(ReaderOf(call), fields.Text("name"));
    if (key && !(*key)->exportable) {
      return Fail(Code::kInvalid,
                  "key was created without exportable: its master forbids export; create a new "
                  "exportable key");
    }
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
  return AnswerChanged(EngineOf(call).Configure(CallerOf(call), name, change), NoKeyNamed(name),
                       reply);
}

Status TrimKey(const Call& call, Reply& reply) {
  if (!call.fields.Has("min_available_version")) {
    return Fail(Code::kInvalid, "missing min_available_version");
  }
  return AnswerChanged(EngineOf(call).Trim(CallerOf(call), call.fields.Text("name"),
                                           call.fields.Int("min_available_version")),
                       "invalid key name", reply);
}

Status SetSoftDeleted(const Call& call, bool deleted, std::string_view already, Reply& reply) {
  const std::string_view name = call.fields.Text("name");
  const auto before = EngineOf(call).Find(ReaderOf(call), name);
  if (before && (*before)->settings.soft_deleted == deleted) {
    reply.warnings.emplace_back(already);
    WriteKeyDocument(**before, reply.json);
    return {};
  }
  const auto changed = EngineOf(call).SetSoftDeleted(CallerOf(call), name, deleted);
  if (deleted && !changed && changed.error().code == Code::kNotFound) return reply.NoContent();
  return AnswerChanged(changed, NoKeyNamed(name), reply);
}

Status SoftDeleteKey(const Call& call, Reply& reply) {
  return SetSoftDeleted(call, true, "key was already marked as soft deleted", reply);
}

Status RestoreKey(const Call& call, Reply& reply) {
  return SetSoftDeleted(call, false, "key was already restored", reply);
}

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
  AddOne(
      table, "keys/:name", "A named key.",
      {{"type", FieldType::kText, "aes256-gcm96",
        "aes128-gcm96, aes256-gcm96, rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384, "
        "ecdsa-p521, ed25519, hmac, aes128-cmac, aes192-cmac, aes256-cmac or, where the token has "
        "it, chacha20-poly1305.",
        false, true},
       {"derived", FieldType::kBool, "false", "Whether every use derives a key from a context."},
       {"convergent_encryption", FieldType::kBool, "false",
        "Derived keys: equal messages give equal ciphertexts."},
       {"exportable", FieldType::kBool, "false",
        "Whether byok-export may wrap it for others; needs key_export = \"wrapped\"."},
       {"allow_plaintext_backup", FieldType::kBool, "false", "Recorded with the key."},
       {"auto_rotate_period", FieldType::kSeconds, "0", "0, or an hour or more."},
       {"key_size", FieldType::kInt, "0",
        "For key type hmac only: bytes, a multiple of 8 from 32 to 512."},
       kContext},
      {{Verb::kRead, Capability::kRead, ReadKey},
       {Verb::kWrite, Capability::kUpdate, CreateKey, true},
       {Verb::kDelete, Capability::kDelete, DeleteKey, true}});
  AddOne(table, "keys/:name/config", "A key's settings; those that are given change.",
         {{"min_decryption_version", FieldType::kInt, "", "The oldest version that decrypts."},
          {"min_encryption_version", FieldType::kInt, "", "The oldest version that encrypts."},
          {"deletion_allowed", FieldType::kBool, "", "Whether the key may be deleted."},
          {"exportable", FieldType::kBool, "", "Only for a key that was created so."},
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
