#include <string>
#include <utility>

#include "api/vault/errors.h"
#include "api/vault/system/system_call.h"
#include "coffer/api/backups.h"

namespace coffer::api {
namespace {

Result<Backups*> BackupsOf(const Call& call) {
  if (PartsOf(call).backups == nullptr) return Fail(Code::kInvalid, "this server makes no backups");
  return PartsOf(call).backups;
}

std::string_view PhaseName(BackupState::Phase phase) {
  switch (phase) {
    case BackupState::Phase::kRunning:
      return "running";
    case BackupState::Phase::kDone:
      return "done";
    case BackupState::Phase::kFailed:
      break;
  }
  return "failed";
}

void WriteState(const BackupState& state, JsonWriter& json) {
  json.BeginObject();
  json.Key("name").Text(state.name);
  json.Key("state").Text(PhaseName(state.phase));
  json.Key("started").Text(Rfc3339(state.started));
  json.Key("pages_done").Int(state.pages_done);
  json.Key("pages_total").Int(state.pages_total);
  if (state.phase == BackupState::Phase::kFailed) {
    json.Key("error").Text(ClientText(state.error));
  }
  if (state.phase == BackupState::Phase::kDone) {
    json.Key("epoch").Int(static_cast<std::int64_t>(state.epoch));
    json.Key("keys").Int(state.keys);
    json.Key("octets").Int(static_cast<std::int64_t>(state.octets));
    json.Key("sha256").Text(state.sha256);
  }
  json.EndObject();
}

Status ReadBackup(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const Backups* const backups, BackupsOf(call));
  const auto last = backups->Last();
  if (!last || last->name != call.fields.Text("name")) {
    return Fail(Code::kNotFound, "this was not the last backup that was asked for");
  }
  WriteState(*last, reply.json);
  return {};
}

Status StartBackup(const Call& call, Reply& reply) {
  COFFER_ASSIGN(Backups* const backups, BackupsOf(call));
  COFFER_TRY(backups->Start(call.fields.Text("name"), call.fields.Bool("overwrite")));
  return ReadBackup(call, reply);
}

}  // namespace

void AddBackupEndpoints(std::vector<Endpoint>& table) {
  Endpoint backup{"backup/:name",
                  "A backup of the whole server into the directory of its configuration.",
                  {},
                  {}};
  backup.fields = {{"name", FieldType::kText, "", "The file's name there."},
                   {"overwrite", FieldType::kBool, "false",
                    "Replace a backup of this name once this is whole."}};
  backup.operations = {{Verb::kRead, Capability::kRead, ReadBackup},
                       {Verb::kWrite, Capability::kUpdate, StartBackup}};
  table.push_back(std::move(backup));
}

}  // namespace coffer::api
