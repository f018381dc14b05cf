#include "audit/device_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "coffer/audit/stored_devices.h"
#include "coffer/storage/table.h"

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

// Rows under MACs; a device's head goes with it by a statement of its own.
constexpr std::string_view kStepTwo = R"sql(
ALTER TABLE audit_heads RENAME TO former_heads;
ALTER TABLE audit_devices RENAME TO former_devices;
CREATE TABLE audit_devices (
  id BLOB NOT NULL PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  type TEXT NOT NULL,
  options TEXT NOT NULL,
  local INTEGER NOT NULL,
  declared INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_heads (
  device_id BLOB NOT NULL PRIMARY KEY,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  stopped INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO audit_devices SELECT *, 0, x'' FROM former_devices;
INSERT INTO audit_heads SELECT *, 0, x'' FROM former_heads;
DROP TABLE former_heads;
DROP TABLE former_devices;
)sql";

struct DeviceRow {
  static constexpr storage::TableName kTable{.name = "audit_devices"};
  Id id;
  std::string path;
  std::string description;
  std::string type;
  std::string options;  // a JSON object of texts
  bool local = false;
  bool declared = false;

  template <typename Self, typename Visitor>
  static void Columns(Self& row, Visitor& column) {
    column.Key("id", row.id);
    column("path", row.path);
    column("description", row.description);
    column("type", row.type);
    column("options", row.options);
    column("local", row.local);
    column("declared", row.declared);
  }
};
using DeviceTable = storage::Table<DeviceRow>;

struct HeadRow {
  static constexpr storage::TableName kTable{.name = "audit_heads"};
  Id device;
  std::uint64_t sequence = 0;
  crypto::Sha256Digest hash{};
  bool stopped = false;

  template <typename Self, typename Visitor>
  static void Columns(Self& row, Visitor& column) {
    column.Key("device_id", row.device);
    column("sequence", row.sequence);
    column("hash", row.hash);
    column("stopped", row.stopped);
  }
};
using HeadTable = storage::Table<HeadRow>;

std::vector<const storage::TableShape*> Tables() {
  return {&DeviceTable::Shape(), &HeadTable::Shape()};
}

// The options as RowOf() wrote them.
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

Result<StoredDevice> ToDevice(const DeviceRow& row) {
  StoredDevice device;
  device.id = row.id;
  COFFER_ASSIGN(device.settings, ReadSettings(row.type, row.options));
  device.settings.path = row.path;
  device.settings.description = row.description;
  device.settings.local = row.local;
  device.settings.declared = row.declared;
  return device;
}

DeviceRow RowOf(const StoredDevice& device) {
  const DeviceSettings& settings = device.settings;
  nlohmann::json options = nlohmann::json::object();
  for (const auto& [name, value] : OptionsOf(settings)) options[std::string(name)] = value;
  return {device.id,
          settings.path,
          settings.description,
          std::string(TypeName(settings.type)),
          options.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
          settings.local,
          settings.declared};
}

}  // namespace

std::vector<storage::Migration> DeviceSchema() {
  return {{"audit", 1, kStepOne}, {"audit", 2, kStepTwo, Tables}};
}

Result<std::vector<StoredDevice>> ReadDevices(storage::Reader& reader) {
  COFFER_ASSIGN(const auto rows, DeviceTable::All(reader));
  std::vector<StoredDevice> devices;
  for (const DeviceTable::Stored& stored : rows) {
    COFFER_ASSIGN(StoredDevice device, ToDevice(stored.row));
    COFFER_ASSIGN(const auto head, HeadTable::Find(reader, device.id));
    if (head) {
      device.head = {head->row.sequence, head->row.hash};
      device.stopped = head->row.stopped;
    }
    devices.push_back(std::move(device));
  }
  std::ranges::sort(devices, {}, [](const StoredDevice& device) -> const std::string& {
    return device.settings.path;
  });
  return devices;
}

Status InsertDevice(storage::Transaction& transaction, const StoredDevice& device) {
  return DeviceTable::Insert(transaction, RowOf(device));
}

Status UpdateDevice(storage::Transaction& transaction, const StoredDevice& device) {
  return DeviceTable::Put(transaction, RowOf(device));
}

Status DeleteDevice(storage::Transaction& transaction, const Id& id) {
  COFFER_TRY(HeadTable::Remove(transaction, id));
  COFFER_TRY(DeviceTable::Remove(transaction, id));
  return {};
}

Status WriteHead(storage::Transaction& transaction, const Id& id, const ChainPosition& head,
                 bool stopped) {
  return HeadTable::Put(transaction, {id, head.sequence, head.hash, stopped});
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
