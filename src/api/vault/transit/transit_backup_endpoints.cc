#include <optional>
#include <string>

#include "api/endpoint.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"
#include "coffer/base/base64.h"

namespace coffer::api {
namespace {

std::string Quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

Status BackUpKey(const Call& call, Reply& reply) {
  const std::string_view name = call.fields.Text("name");
  const auto backup = EngineOf(call).Backup(CallerOf(call), name);
  if (!backup && backup.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, "key " + Quoted(name) + " not found");
  }
  if (!backup) return Fail(backup.error());
  reply.json.BeginObject().Key("backup").Base64(*backup).EndObject();
  return {};
}

Status RestoreFromBackup(const Call& call, Reply& reply) {
  const std::string_view text = call.fields.Text("backup");
  if (text.empty()) return Fail(Code::kInvalid, "'backup' must be supplied");
  const auto backup = Base64Decode(text);
  if (!backup) return Fail(Code::kInvalid, "the backup is damaged");
  std::optional<keyring::KeyName> name;
  if (const std::string_view given = call.fields.Text("name"); !given.empty()) {
    if (given.find('/') != std::string_view::npos) {
      return Fail(Code::kInvalid, "key names cannot be paths");
    }
    COFFER_ASSIGN(name, keyring::KeyName::Parse(given));
  }
  COFFER_TRY(EngineOf(call).Restore(CallerOf(call), name, *backup, call.fields.Bool("force")));
  return reply.NoContent();
}

Endpoint RestoreEndpoint(std::string_view pattern) {
  Endpoint endpoint{pattern, "Makes a key from a backup that this server's token made.", {}, {}};
  endpoint.fields = {
      kName,
      {"backup", FieldType::kText, "", "As backup answered it.", true},
      {"force", FieldType::kBool, "false", "Whether a key of that name may be replaced."}};
  endpoint.operations = {{Verb::kWrite, Capability::kUpdate, RestoreFromBackup, true}};
  return endpoint;
}

}  // namespace

void AddTransitBackupEndpoints(std::vector<Endpoint>& table) {
  Endpoint backup{"backup/:name",
                  "A key as the database has it: wrapped, of use with the same token only.",
                  {kName},
                  {{Verb::kRead, Capability::kRead, BackUpKey}}};
  table.push_back(std::move(backup));
  table.push_back(RestoreEndpoint("restore"));
  table.push_back(RestoreEndpoint("restore/*name"));
}

}  // namespace coffer::api
