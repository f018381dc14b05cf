#include "audit/device_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "coffer/audit/stored_devices.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kStepOne = R"sql(
CREATE TABLE audit_devices (
  id BLOB NOT NULL PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  type TEXT NOT NULL,
  options TEXT NOT NULL,
  local INTEGER NOT NULL,
  declared INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_heads (
  device_id BLOB NOT NULL PRIMARY KEY REFERENCES audit_devices (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  stopped INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// The options as BindSettings() wrote them.
Result<DeviceSettings> ReadSettings(const std::string& type, const std::string& text) {
  COFFER_ASSIGN(DeviceSettings settings, SettingsOfType(type));
  const auto options = nlohmann::json::parse(text, nullptr, false);
  if (!options.is_object()) {
    return Fail(Code::kCorrupt, "the table of audit devices is damaged: restore a backup", text);
  }
  for (const auto& [name, value] : options.items()) {
    if (value.is_string()) COFFER_TRY(SetOption(settings, name, value.get<std::string>()));
  }
  COFFER_TRY(CheckSettings(settings));
  return settings;
}

Result<StoredDevice> ToDevice(const storage::Statement& row) {
  const auto id = Id::FromBytes(row.Blob(0));
  if (!id) {
    return Fail(Code::kCorrupt, "the table of audit devices is damaged: restore a backup",
                "row of " + row.Text(1));
  }
  StoredDevice device;
  device.id = *id;
  COFFER_ASSIGN(device.settings, ReadSettings(row.Text(3), row.Text(4)));
  device.settings.path = row.Text(1);
  device.settings.description = row.Text(2);
  device.settings.local = row.Int(5) != 0;
  device.settings.declared = row.Int(6) != 0;
  if (row.IsNull(7)) return device;
  const Bytes hash = row.Blob(8);
  if (hash.size() != device.head.hash.size()) {
    return Fail(Code::kCorrupt, "the table of audit devices is damaged: restore a backup",
                "head of " + row.Text(1));
  }
  device.head.sequence = static_cast<std::uint64_t>(row.Int(7));
  std::copy(hash.begin(), hash.end(), device.head.hash.begin());
  device.stopped = row.Int(9) != 0;
  return device;
}

// Parameters 0 to 5: everything but the id.
void BindSettings(storage::Statement& statement, const DeviceSettings& settings) {
  nlohmann::json options = nlohmann::json::object();
  for (const auto& [name, value] : OptionsOf(settings)) options[std::string(name)] = value;
  statement.Bind(0, settings.path).Bind(1, settings.description);
  statement.Bind(2, TypeName(settings.type));
  statement.Bind(3, options.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  statement.Bind(4, std::int64_t{settings.local}).Bind(5, std::int64_t{settings.declared});
}

}  // namespace

std::vector<storage::Migration> DeviceSchema() { return {{"audit", 1, kStepOne}}; }

Result<std::vector<StoredDevice>> ReadDevices(storage::Reader& reader) {
  COFFER_ASSIGN(storage::Statement select,
                reader.Prepare("SELECT d.id, d.path, d.description, d.type, d.options, "
                               "d.local, d.declared, h.sequence, "
                               "h.hash, h.stopped FROM audit_devices d LEFT JOIN audit_heads h "
                               "ON h.device_id = d.id ORDER BY d.path"));
  std::vector<StoredDevice> devices;
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return devices;
    COFFER_ASSIGN(StoredDevice device, ToDevice(select));
    devices.push_back(std::move(device));
  }
}

Status InsertDevice(storage::Transaction& transaction, const StoredDevice& device) {
  COFFER_ASSIGN(storage::Statement insert,
                transaction.Prepare("INSERT INTO audit_devices (path, description, type, "
                                    "options, local, declared, id) VALUES (?, ?, ?, ?, ?, ?, ?)"));
  BindSettings(insert, device.settings);
  COFFER_TRY(insert.Bind(6, device.id.View()).Run());
  return {};
}

Status UpdateDevice(storage::Transaction& transaction, const StoredDevice& device) {
  COFFER_ASSIGN(storage::Statement update,
                transaction.Prepare("UPDATE audit_devices SET path = ?, description = ?, type = ?, "
                                    "options = ?, local = ?, declared = ? WHERE id = ?"));
  BindSettings(update, device.settings);
  COFFER_TRY(update.Bind(6, device.id.View()).Run());
  return {};
}

Status DeleteDevice(storage::Transaction& transaction, const Id& id) {
  COFFER_ASSIGN(storage::Statement remove,
                transaction.Prepare("DELETE FROM audit_devices WHERE id = ?"));
  COFFER_TRY(remove.Bind(0, id.View()).Run());
  return {};
}

Status WriteHead(storage::Transaction& transaction, const Id& id, const ChainPosition& head,
                 bool stopped) {
  COFFER_ASSIGN(storage::Statement upsert,
                transaction.Prepare("INSERT INTO audit_heads (device_id, sequence, hash, stopped) "
                                    "VALUES (?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET "
                                    "sequence = excluded.sequence, hash = excluded.hash, "
                                    "stopped = excluded.stopped"));
  upsert.Bind(0, id.View()).Bind(1, static_cast<std::int64_t>(head.sequence));
  COFFER_TRY(upsert.Bind(2, ByteView(head.hash)).Bind(3, std::int64_t{stopped}).Run());
  return {};
}

Result<DeviceSettings> ForgetDevice(storage::Database& database, std::string_view path) {
  std::vector<StoredDevice> stored;
  {
    COFFER_ASSIGN(storage::Reader reader, database.Read());
    COFFER_ASSIGN(stored, ReadDevices(reader));
  }
  const auto found = std::ranges::find(stored, path, [](const StoredDevice& device) {
    return std::string_view(device.settings.path);
  });
  if (found == stored.end()) {
    return Fail(Code::kNotFound, "there is no audit device " + std::string(path));
  }
  if (found->settings.declared) {
    return Fail(Code::kInvalid, "the audit device " + found->settings.path +
                                    " is declared in this server's configuration: remove it there");
  }
  COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
  COFFER_TRY(DeleteDevice(transaction, found->id));
  COFFER_TRY(transaction.Commit());
  return std::move(found->settings);
}

}  // namespace coffer::audit
