#include "mounts/mount_store.h"

#include <string>
#include <utility>

#include "coffer/storage/table.h"

namespace coffer::mounts {
namespace {

constexpr std::string_view kStepOne = R"sql(
CREATE TABLE mounts (
  id BLOB NOT NULL PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  accessor TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  default_lease_ttl_seconds INTEGER NOT NULL,
  max_lease_ttl_seconds INTEGER NOT NULL,
  force_no_cache INTEGER NOT NULL,
  listing_visibility TEXT NOT NULL,
  local INTEGER NOT NULL,
  seal_wrap INTEGER NOT NULL,
  external_entropy_access INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mount_options (
  mount_id BLOB NOT NULL REFERENCES mounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (mount_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE mount_lists (
  mount_id BLOB NOT NULL REFERENCES mounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  place INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (mount_id, name, place)
) STRICT, WITHOUT ROWID;
)sql";

// Everything about a mount stands in its one row, under one MAC: options (name, value, name, value
// ...) and lists are netstrings.
constexpr std::string_view kStepTwo = R"sql(
ALTER TABLE mounts RENAME TO former_mounts;
CREATE TABLE mounts (
  id BLOB NOT NULL PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  accessor TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  default_lease_ttl_seconds INTEGER NOT NULL,
  max_lease_ttl_seconds INTEGER NOT NULL,
  force_no_cache INTEGER NOT NULL,
  listing_visibility TEXT NOT NULL,
  local INTEGER NOT NULL,
  seal_wrap INTEGER NOT NULL,
  external_entropy_access INTEGER NOT NULL,
  options TEXT NOT NULL,
  audit_non_hmac_request_keys TEXT NOT NULL,
  audit_non_hmac_response_keys TEXT NOT NULL,
  passthrough_request_headers TEXT NOT NULL,
  allowed_response_headers TEXT NOT NULL,
  generation INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO mounts
  SELECT id, path, type, accessor, description, default_lease_ttl_seconds,
    max_lease_ttl_seconds, force_no_cache, listing_visibility, local, seal_wrap,
    external_entropy_access,
    (SELECT coalesce(group_concat(length(CAST(name AS BLOB)) || ':' || name || ',' ||
        length(CAST(value AS BLOB)) || ':' || value || ',', ''), '')
      FROM (SELECT name, value FROM mount_options WHERE mount_id = former_mounts.id ORDER BY name)),
    (SELECT coalesce(group_concat(length(CAST(value AS BLOB)) || ':' || value || ',', ''), '')
      FROM (SELECT value FROM mount_lists
        WHERE mount_id = former_mounts.id AND name = 'audit_non_hmac_request_keys' ORDER BY place)),
    (SELECT coalesce(group_concat(length(CAST(value AS BLOB)) || ':' || value || ',', ''), '')
      FROM (SELECT value FROM mount_lists
        WHERE mount_id = former_mounts.id AND name = 'audit_non_hmac_response_keys' ORDER BY place)),
    (SELECT coalesce(group_concat(length(CAST(value AS BLOB)) || ':' || value || ',', ''), '')
      FROM (SELECT value FROM mount_lists
        WHERE mount_id = former_mounts.id AND name = 'passthrough_request_headers' ORDER BY place)),
    (SELECT coalesce(group_concat(length(CAST(value AS BLOB)) || ':' || value || ',', ''), '')
      FROM (SELECT value FROM mount_lists
        WHERE mount_id = former_mounts.id AND name = 'allowed_response_headers' ORDER BY place)),
    0, x''
  FROM former_mounts;
DROP TABLE mount_options;
DROP TABLE mount_lists;
DROP TABLE former_mounts;
)sql";

struct MountRow {
  static constexpr storage::TableName kTable{.name = "mounts"};
  Id id;
  std::string path;
  std::string type;
  std::string accessor;
  MountConfig config;
  std::vector<std::string> options;  // names and values by turns

  template <typename Self, typename Visitor>
  static void Columns(Self& row, Visitor& column) {
    column.Key("id", row.id);
    column("path", row.path);
    column("type", row.type);
    column("accessor", row.accessor);
    column("description", row.config.description);
    column("default_lease_ttl_seconds", row.config.default_lease_ttl_seconds);
    column("max_lease_ttl_seconds", row.config.max_lease_ttl_seconds);
    column("force_no_cache", row.config.force_no_cache);
    column("listing_visibility", row.config.listing_visibility);
    column("local", row.config.local);
    column("seal_wrap", row.config.seal_wrap);
    column("external_entropy_access", row.config.external_entropy_access);
    column("options", row.options);
    for (const MountConfig::NamedList& known : MountConfig::kLists) {
      column(known.name, row.config.*known.list);
    }
  }
};
using Mounts = storage::Table<MountRow>;

std::vector<const storage::TableShape*> Tables() { return {&Mounts::Shape()}; }

MountRow RowOf(const Mount& mount) {
  MountRow row{mount.id, mount.path.Text(), mount.type, mount.accessor, mount.config, {}};
  for (const auto& [name, value] : mount.config.options) {
    row.options.push_back(name);
    row.options.push_back(value);
  }
  return row;
}

Result<Mount> ToMount(MountRow row) {
  auto path = MountPath::Parse(row.path);
  if (!path || path->Text() != row.path || row.options.size() % 2 != 0) {
    return Fail(Code::kCorrupt, "the mount table is damaged: restore a backup",
                "row of " + row.path);
  }
  Mount mount{row.id, std::move(*path), std::move(row.type), std::move(row.accessor),
              std::move(row.config)};
  mount.config.options.clear();
  for (std::size_t i = 0; i < row.options.size(); i += 2) {
    mount.config.options.emplace_back(std::move(row.options[i]), std::move(row.options[i + 1]));
  }
  return mount;
}

}  // namespace

std::vector<storage::Migration> MountSchema() {
  return {{"mounts", 1, kStepOne}, {"mounts", 2, kStepTwo, Tables}};
}

Result<std::vector<std::shared_ptr<const Mount>>> ReadMounts(storage::Reader& reader) {
  COFFER_ASSIGN(auto rows, Mounts::All(reader));
  std::vector<std::shared_ptr<const Mount>> mounts;
  for (Mounts::Stored& stored : rows) {
    COFFER_ASSIGN(Mount mount, ToMount(std::move(stored.row)));
    mounts.push_back(std::make_shared<const Mount>(std::move(mount)));
  }
  return mounts;
}

Status InsertMount(storage::Transaction& transaction, const Mount& mount) {
  return Mounts::Insert(transaction, RowOf(mount));
}

Status UpdateMount(storage::Transaction& transaction, const Mount& mount) {
  return Mounts::Put(transaction, RowOf(mount));
}

Status DeleteMount(storage::Transaction& transaction, const Id& id) {
  COFFER_TRY(Mounts::Remove(transaction, id));
  return {};
}

}  // namespace coffer::mounts
