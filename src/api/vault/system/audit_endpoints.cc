#include <string>
#include <utility>

#include "api/vault/system/system_call.h"

namespace coffer::api {
namespace {

// Adds the slash at the end that the name of a device has in the API, as a mount has.
std::string DevicePath(const Call& call) {
  std::string path(call.fields.Text("path"));
  if (!path.ends_with('/')) path += '/';
  return path;
}

Result<audit::Broker*> DevicesOf(const Call& call) {
  if (PartsOf(call).audit_devices == nullptr) {
    return Fail(Code::kInvalid, "this server keeps no audit devices");
  }
  return PartsOf(call).audit_devices;
}

Status ListDevices(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const audit::Broker* const devices, DevicesOf(call));
  JsonWriter& json = reply.json.BeginObject();
  for (const audit::DeviceSettings& device : devices->List()) {
    json.Key(device.path).BeginObject();
    json.Key("type").Text(audit::TypeName(device.type));
    json.Key("description").Text(device.description);
    json.Key("local").Bool(device.local);
    json.Key("path").Text(device.path);
    json.Key("options").BeginObject();
    for (const auto& [name, value] : audit::OptionsOf(device)) json.Key(name).Text(value);
    json.EndObject().EndObject();
  }
  json.EndObject();
  return {};
}

Status EnableDevice(const Call& call, Reply& reply) {
  COFFER_ASSIGN(audit::Broker* const devices, DevicesOf(call));
  COFFER_ASSIGN(audit::DeviceSettings settings, audit::SettingsOfType(call.fields.Text("type")));
  settings.path = DevicePath(call);
  settings.description = call.fields.Text("description");
  settings.local = call.fields.Bool("local");
  if (const JsonValue* const options = call.fields.Find("options")) {
    for (const JsonValue::Member& option : *options->As<JsonValue::Object>()) {
      COFFER_TRY(audit::SetOption(settings, option.name, *option.value.As<std::string>()));
    }
  }
  COFFER_TRY(devices->Enable(std::move(settings)));
  return reply.NoContent();
}

Status DisableDevice(const Call& call, Reply& reply) {
  COFFER_ASSIGN(audit::Broker* const devices, DevicesOf(call));
  COFFER_TRY(devices->Disable(DevicePath(call)));
  return reply.NoContent();
}

Status HashValue(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const audit::Broker* const devices, DevicesOf(call));
  const std::string_view input = call.fields.Text("input");
  if (input.empty()) return Fail(Code::kInvalid, "the \"input\" parameter is empty");
  COFFER_ASSIGN(const std::string hash, devices->HashOf(DevicePath(call), input));
  reply.json.BeginObject().Key("hash").Text(hash).EndObject();
  return {};
}

}  // namespace

void AddAuditEndpoints(std::vector<Endpoint>& table) {
  const FieldSpec path{"path", FieldType::kText, "", "The device's name."};
  Endpoint list{"audit", "The audit devices.", {}, {}};
  list.operations = {{Verb::kRead, Capability::kRead, ListDevices}};
  list.operations.front().sudo = true;
  list.data_at_top = true;
  table.push_back(std::move(list));

  Endpoint device{"audit/*path", "An audit device.", {}, {}};
  device.fields = {
      path,
      {"type", FieldType::kText, "", "file, syslog or socket.", false, true},
      {"description", FieldType::kText, "", "A note for people."},
      {"options", FieldType::kKeyValues, "",
       "hmac_accessor; of a file file_path, sync (usual or always), rotate_bytes; of syslog "
       "facility, tag; of a socket address, socket_type, write_timeout."},
      {"local", FieldType::kBool, "false", "Kept for clients, without effect."}};
  device.operations = {{Verb::kWrite, Capability::kUpdate, EnableDevice, true},
                       {Verb::kDelete, Capability::kDelete, DisableDevice, true}};
  for (Operation& operation : device.operations) operation.sudo = true;
  table.push_back(std::move(device));

  Endpoint hash{"audit-hash/*path", "A value as the device's lines have it.", {}, {}};
  hash.fields = {path, {"input", FieldType::kText, "", "The value to look for.", true}};
  hash.operations = {{Verb::kWrite, Capability::kUpdate, HashValue}};
  hash.data_at_top = true;
  hash.keeps_state = true;
  table.push_back(std::move(hash));
}

}  // namespace coffer::api
