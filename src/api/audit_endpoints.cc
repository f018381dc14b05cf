#include <string>
#include <utility>

#include "coffer/base/parse.h"
#include "endpoint_table.h"

namespace coffer::api {
namespace {

// A device's name in the API has a slash at its end, as mounts have.
std::string DevicePath(const Call& call) {
  std::string path(call.fields.Text("path"));
  if (!path.ends_with('/')) path += '/';
  return path;
}

Result<audit::Broker*> DevicesOf(const Call& call) {
  if (call.services.audit_devices == nullptr) {
    return Fail(Code::kInvalid, "this server keeps no audit devices");
  }
  return call.services.audit_devices;
}

Status ListDevices(const Call& call, Reply& reply) {
  COFFER_ASSIGN(const audit::Broker* const devices, DevicesOf(call));
  JsonWriter& json = reply.json.BeginObject();
  for (const audit::DeviceSettings& device : devices->List()) {
    json.Key(device.path).BeginObject();
    json.Key("type").Text("file");
    json.Key("description").Text(device.description);
    json.Key("local").Bool(device.local);
    json.Key("path").Text(device.path);
    json.Key("options").BeginObject();
    json.Key("file_path").Text(device.file.string());
    json.Key("hmac_accessor").Text(device.hmac_accessor ? "true" : "false");
    json.Key("sync").Text(device.always_sync ? "always" : "usual");
    json.Key("rotate_bytes").Text(std::to_string(device.rotate_octets));
    json.EndObject().EndObject();
  }
  json.EndObject();
  return {};
}

// One option of sys/audit/:path; unknown ones are refused, not ignored: whoever asks for a
// safeguard must get it.
Status ReadOption(std::string_view name, const std::string& text, audit::DeviceSettings& settings) {
  const auto refused = [&](std::string_view why) {
    return Fail(Code::kInvalid, "audit option " + std::string(name) + ": " + std::string(why));
  };
  const auto flag = ParseBool(text);
  if (name == "file_path" || name == "path") {
    settings.file = text;
  } else if (name == "hmac_accessor") {
    if (!flag) return refused("expected a boolean");
    settings.hmac_accessor = *flag;
  } else if (name == "sync") {
    if (text != "always" && text != "usual") return refused("expected always or usual");
    settings.always_sync = text == "always";
  } else if (name == "rotate_bytes") {
    const auto number = ParseInt64(text);
    if (!number || *number < 0) return refused("expected a number of octets");
    settings.rotate_octets = static_cast<std::uint64_t>(*number);
  } else if (name == "log_raw" || name == "elide_list_responses") {
    if (!flag || *flag) return refused("not available on this server");
  } else if (name == "format") {
    if (text != "json") return refused("only json is available");
  } else if (name == "mode") {
    if (text != "0600" && text != "0") return refused("files are made with mode 0600");
  } else if (name == "prefix") {
    if (!text.empty()) return refused("not available on this server");
  } else {
    return refused("unknown");
  }
  return {};
}

Status EnableDevice(const Call& call, Reply& reply) {
  COFFER_ASSIGN(audit::Broker* const devices, DevicesOf(call));
  if (call.fields.Text("type") != "file") {
    return Fail(Code::kInvalid, "unknown backend type: only file is available");
  }
  audit::DeviceSettings settings;
  settings.path = DevicePath(call);
  settings.description = call.fields.Text("description");
  settings.local = call.fields.Bool("local");
  if (const JsonValue* const options = call.fields.Find("options")) {
    for (const JsonValue::Member& option : *options->As<JsonValue::Object>()) {
      COFFER_TRY(ReadOption(option.name, *option.value.As<std::string>(), settings));
    }
  }
  if (settings.file.empty()) return Fail(Code::kInvalid, "file_path is required");
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
  list.data_at_top = true;
  table.push_back(std::move(list));

  Endpoint device{"audit/*path", "An audit device.", {}, {}};
  device.fields = {path,
                   {"type", FieldType::kText, "", "file.", false, true},
                   {"description", FieldType::kText, "", "A note for people."},
                   {"options", FieldType::kKeyValues, "",
                    "file_path, hmac_accessor, sync (usual or always), rotate_bytes."},
                   {"local", FieldType::kBool, "false", "Kept for clients, without effect."}};
  device.operations = {{Verb::kWrite, Capability::kUpdate, EnableDevice},
                       {Verb::kDelete, Capability::kDelete, DisableDevice}};
  table.push_back(std::move(device));

  Endpoint hash{"audit-hash/*path", "A value as the device's lines have it.", {}, {}};
  hash.fields = {path, {"input", FieldType::kText, "", "The value to look for.", true}};
  hash.operations = {{Verb::kWrite, Capability::kUpdate, HashValue}};
  hash.data_at_top = true;
  hash.keeps_state = true;
  table.push_back(std::move(hash));
}

}  // namespace coffer::api
