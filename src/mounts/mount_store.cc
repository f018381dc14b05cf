#include "mounts/mount_store.h"

#include <string>
#include <utility>

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

Status ReadOptions(storage::Statement& select, Mount& mount) {
  select.Reset();
  select.Bind(0, mount.id.View());
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return {};
    mount.config.options.emplace_back(select.Text(0), select.Text(1));
  }
}

Status ReadLists(storage::Statement& select, Mount& mount) {
  select.Reset();
  select.Bind(0, mount.id.View());
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return {};
    const std::string name = select.Text(0);
    for (const MountConfig::NamedList& known : MountConfig::kLists) {
      if (known.name == name) (mount.config.*known.list).push_back(select.Text(1));
    }
  }
}

Result<Mount> ToMount(const storage::Statement& row) {
  const auto id = Id::FromBytes(row.Blob(0));
  const std::string text = row.Text(1);
  auto path = MountPath::Parse(text);
  if (!id || !path || path->Text() != text) {
    return Fail(Code::kCorrupt, "the mount table is damaged: restore a backup", "row of " + text);
  }
  Mount mount{*id, std::move(*path), row.Text(2), row.Text(3), {}};
  mount.config.description = row.Text(4);
  mount.config.default_lease_ttl_seconds = row.Int(5);
  mount.config.max_lease_ttl_seconds = row.Int(6);
  mount.config.force_no_cache = row.Int(7) != 0;
  mount.config.listing_visibility = row.Text(8);
  mount.config.local = row.Int(9) != 0;
  mount.config.seal_wrap = row.Int(10) != 0;
  mount.config.external_entropy_access = row.Int(11) != 0;
  return mount;
}

Status InsertOptions(storage::Transaction& transaction, const Mount& mount) {
  COFFER_ASSIGN(
      storage::Statement insert,
      transaction.Prepare("INSERT INTO mount_options (mount_id, name, value) VALUES (?, ?, ?)"));
  for (const auto& [name, value] : mount.config.options) {
    COFFER_TRY(insert.Bind(0, mount.id.View()).Bind(1, name).Bind(2, value).Run());
  }
  return {};
}

Status InsertLists(storage::Transaction& transaction, const Mount& mount) {
  COFFER_ASSIGN(storage::Statement insert,
                transaction.Prepare(
                    "INSERT INTO mount_lists (mount_id, name, place, value) VALUES (?, ?, ?, ?)"));
  for (const MountConfig::NamedList& known : MountConfig::kLists) {
    std::int64_t place = 0;
    for (const std::string& value : mount.config.*known.list) {
      insert.Bind(0, mount.id.View()).Bind(1, known.name).Bind(2, place++);
      COFFER_TRY(insert.Bind(3, value).Run());
    }
  }
  return {};
}

}  // namespace

std::vector<storage::Migration> MountSchema() { return {{"mounts", 1, kStepOne}}; }

Result<std::vector<std::shared_ptr<const Mount>>> ReadMounts(storage::Reader& reader) {
  COFFER_ASSIGN(storage::Statement select,
                reader.Prepare("SELECT id, path, type, accessor, description, "
                               "default_lease_ttl_seconds, max_lease_ttl_seconds, force_no_cache, "
                               "listing_visibility, local, seal_wrap, external_entropy_access "
                               "FROM mounts ORDER BY path"));
  COFFER_ASSIGN(storage::Statement options,
                reader.Prepare("SELECT name, value FROM mount_options WHERE mount_id = ? "
                               "ORDER BY name"));
  COFFER_ASSIGN(storage::Statement lists,
                reader.Prepare("SELECT name, value FROM mount_lists WHERE mount_id = ? "
                               "ORDER BY name, place"));
  std::vector<std::shared_ptr<const Mount>> mounts;
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return mounts;
    COFFER_ASSIGN(Mount mount, ToMount(select));
    COFFER_TRY(ReadOptions(options, mount));
    COFFER_TRY(ReadLists(lists, mount));
    mounts.push_back(std::make_shared<const Mount>(std::move(mount)));
  }
}

Status InsertMount(storage::Transaction& transaction, const Mount& mount) {
  COFFER_ASSIGN(
      storage::Statement insert,
      transaction.Prepare("INSERT INTO mounts (id, path, type, accessor, description, "
                          "default_lease_ttl_seconds, max_lease_ttl_seconds, force_no_cache, "
                          "listing_visibility, local, seal_wrap, external_entropy_access) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const MountConfig& config = mount.config;
  insert.Bind(0, mount.id.View()).Bind(1, mount.path.Text()).Bind(2, mount.type);
  insert.Bind(3, mount.accessor).Bind(4, config.description);
  insert.Bind(5, config.default_lease_ttl_seconds).Bind(6, config.max_lease_ttl_seconds);
  insert.Bind(7, std::int64_t{config.force_no_cache}).Bind(8, config.listing_visibility);
  insert.Bind(9, std::int64_t{config.local}).Bind(10, std::int64_t{config.seal_wrap});
  COFFER_TRY(insert.Bind(11, std::int64_t{config.external_entropy_access}).Run());
  COFFER_TRY(InsertOptions(transaction, mount));
  return InsertLists(transaction, mount);
}

Status UpdateMount(storage::Transaction& transaction, const Mount& mount) {
  COFFER_ASSIGN(storage::Statement update,
                transaction.Prepare(
                    "UPDATE mounts SET path = ?, description = ?, default_lease_ttl_seconds = ?, "
                    "max_lease_ttl_seconds = ?, force_no_cache = ?, listing_visibility = ? "
                    "WHERE id = ?"));
  const MountConfig& config = mount.config;
  update.Bind(0, mount.path.Text()).Bind(1, config.description);
  update.Bind(2, config.default_lease_ttl_seconds).Bind(3, config.max_lease_ttl_seconds);
  update.Bind(4, std::int64_t{config.force_no_cache}).Bind(5, config.listing_visibility);
  COFFER_ASSIGN(const std::int64_t changed, update.Bind(6, mount.id.View()).Run());
  if (changed != 1) {
    return Fail(Code::kInternal, "database error", "no row of mount " + mount.path.Text());
  }
  for (const std::string_view forget : {"DELETE FROM mount_options WHERE mount_id = ?",
                                        "DELETE FROM mount_lists WHERE mount_id = ?"}) {
    COFFER_ASSIGN(storage::Statement statement, transaction.Prepare(forget));
    COFFER_TRY(statement.Bind(0, mount.id.View()).Run());
  }
  COFFER_TRY(InsertOptions(transaction, mount));
  return InsertLists(transaction, mount);
}

Status DeleteMount(storage::Transaction& transaction, const Id& id) {
  COFFER_ASSIGN(storage::Statement remove, transaction.Prepare("DELETE FROM mounts WHERE id = ?"));
  COFFER_TRY(remove.Bind(0, id.View()).Run());
  return {};
}

}  // namespace coffer::mounts
