#include "keyring/keyring_store.h"

#include <algorithm>
#include <concepts>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "coffer/storage/table.h"
#include "keyring/row_columns.h"

namespace coffer::keyring::store {
namespace {

using storage::Statement;
using storage::Transaction;

auto Damaged(std::string_view what) {
  return Fail(Code::kCorrupt, "stored " + std::string(what) + " cannot be read");
}

std::optional<Id> IdAt(const Statement& row, int column) {
  const Bytes octets = row.Blob(column);
  return Id::FromBytes(octets);
}

// Values as SQL has them; false where a value is none of the column's.
bool ReadCell(const Statement& row, int at, const Column& column, Id& value) {
  static_cast<void>(column);
  const auto id = IdAt(row, at);
  if (id) value = *id;
  return id.has_value();
}
bool ReadCell(const Statement& row, int at, const Column& column, std::string& value) {
  static_cast<void>(column);
  value = row.Text(at);
  return true;
}
bool ReadCell(const Statement& row, int at, const Column& column, Bytes& value) {
  static_cast<void>(column);
  value = row.Blob(at);
  return true;
}
bool ReadCell(const Statement& row, int at, const Column& column, SystemTime& value) {
  static_cast<void>(column);
  value = FromUnixNanoseconds(row.Int(at));
  return true;
}
template <typename T>
requires(std::integral<T> || std::is_enum_v<T>) bool ReadCell(const Statement& row, int at,
                                                              const Column& column, T& value) {
  return FromNumber(column, row.Int(at), value);
}

void BindCell(Statement& row, int at, const Id& value) { row.Bind(at, value.View()); }
void BindCell(Statement& row, int at, const std::string& value) {
  row.Bind(at, std::string_view(value));
}
void BindCell(Statement& row, int at, const Bytes& value) { row.Bind(at, ByteView(value)); }
void BindCell(Statement& row, int at, SystemTime value) { row.Bind(at, UnixNanoseconds(value)); }
template <typename T>
requires(std::integral<T> || std::is_enum_v<T>) void BindCell(Statement& row, int at, T value) {
  row.Bind(at, static_cast<std::int64_t>(value));
}

// The names of columns after those that the caller has, as SQL lists them, and as many parameters.
struct ColumnList {
  std::string names;
  std::string parameters;
  std::string updates;  // of those that may change

  void Add(std::string_view name, Column::Change change) {
    ++count;
    names.append(names.empty() ? "" : ", ").append(name);
    parameters += (parameters.empty() ? "?" : ", ?") + std::to_string(count);
    if (change == Column::Change::kNever) return;
    updates.append(updates.empty() ? "" : ", ").append(name).append(" = excluded.").append(name);
  }
  int count = 0;
};

const ColumnList& KeyColumnList() {
  static const ColumnList list = [] {
    ColumnList made;
    const Key any;
    ForEachKeyColumn(
        any, [&](const Column& column, const auto&) { made.Add(column.name, column.change); });
    made.Add("mac", Column::Change::kAllowed);
    return made;
  }();
  return list;
}

const ColumnList& VersionColumnList() {
  static const ColumnList list = [] {
    ColumnList made;
    made.Add("key", Column::Change::kNever);
    made.Add("type", Column::Change::kNever);
    const KeyVersion any;
    ForEachVersionColumn(
        any, [&](const Column& column, const auto&) { made.Add(column.name, column.change); });
    return made;
  }();
  return list;
}

struct CounterRow {
  static constexpr storage::TableName kTable{.name = "key_counters", .shards = 64};
  Id key;
  int version = 0;
  std::int64_t reserved = 0;

  template <typename Self, typename Visitor>
  static void Columns(Self& row, Visitor& column) {
    column.Key("key", row.key);
    column.Key("version", row.version);
    column("reserved", row.reserved);
  }
};
using Counters = storage::Table<CounterRow>;

Result<StoredKey> KeyFromRow(const Statement& row) {
  StoredKey stored;
  int at = 0;
  bool good = true;
  ForEachKeyColumn(stored.key, [&](const Column& column, auto& value) {
    if (!ReadCell(row, at++, column, value)) good = false;
  });
  if (!good) return Damaged("key");
  stored.mac = row.Blob(at);
  return stored;
}

Status ReadVersions(storage::Reader& reader, Key& key) {
  COFFER_ASSIGN(Statement rows,
                reader.Prepare("SELECT " + VersionColumnList().names +
                               " FROM key_versions WHERE key = ?1 ORDER BY version"));
  rows.Bind(0, key.id.View());
  while (true) {
    COFFER_ASSIGN(const bool more, rows.Step());
    if (!more) return {};
    KeyVersion version;
    int at = 2;  // after the key's id and type
    bool good = rows.Int(1) == static_cast<std::int64_t>(key.type);
    ForEachVersionColumn(version, [&](const Column& column, auto& value) {
      if (!ReadCell(rows, at++, column, value)) good = false;
    });
    if (!good) return Damaged("key version");
    version.counter = std::make_shared<EncryptionCounter>();
    COFFER_ASSIGN(const auto counter, Counters::Find(reader, key.id, version.info.version));
    if (counter) version.counter->reserved.store(counter->row.reserved);
    key.versions.emplace(version.info.version, std::move(version));
  }
}

Result<std::vector<MountedName>> Places(Statement& rows) {
  std::vector<MountedName> places;
  while (true) {
    COFFER_ASSIGN(const bool more, rows.Step());
    if (!more) return places;
    const auto mount = IdAt(rows, 0);
    if (!mount) return Damaged("key");
    places.push_back({*mount, rows.Text(1)});
  }
}

}  // namespace

const storage::TableShape& KeysShape() {
  using Kind = storage::TableShape::Kind;
  static const storage::TableShape shape{
      .table = {.name = "keys", .shards = 64, .own_macs = true},
      .columns = {{.name = "id", .kind = Kind::kBlob, .key = true}},
      .keys = 1};
  return shape;
}

const storage::TableShape& CounterShape() { return Counters::Shape(); }

Result<std::optional<FormerState>> ReadFormerState(storage::Database& database) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement row,
                reader.Prepare("SELECT database_id, epoch, keys, sum, mac FROM keyring_state"));
  COFFER_ASSIGN(const bool found, row.Step());
  if (!found) return std::optional<FormerState>{};
  FormerState stored;
  const auto id = IdAt(row, 0);
  const Bytes sum = row.Blob(3);
  if (!id || row.Int(1) < 0 || sum.size() != stored.state.sum.size()) return Damaged("state row");
  stored.state.database = *id;
  stored.state.epoch = static_cast<std::uint64_t>(row.Int(1));
  stored.state.keys = row.Int(2);
  std::copy(sum.begin(), sum.end(), stored.state.sum.begin());
  stored.mac = row.Blob(4);
  return std::optional(std::move(stored));
}

Status DeleteFormerState(Transaction& transaction) {
  COFFER_ASSIGN(Statement remove, transaction.Prepare("DELETE FROM keyring_state"));
  return Execute(remove);
}

Status DisableKey(Transaction& transaction, const Id& key, ByteView mac) {
  COFFER_ASSIGN(Statement update, transaction.Prepare("UPDATE keys SET mac = ?2 WHERE id = ?1"));
  update.Bind(0, key.View()).Bind(1, mac);
  return Execute(update);
}

Result<std::int64_t> CountKeys(storage::Reader& reader) {
  COFFER_ASSIGN(Statement count, reader.Prepare("SELECT count(*) FROM keys"));
  COFFER_TRY(count.Step());
  return count.Int(0);
}

Result<std::optional<StoredKey>> ReadKey(storage::Database& database, const Id& mount,
                                         std::string_view name) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement row, reader.Prepare("SELECT " + KeyColumnList().names +
                                              " FROM keys WHERE mount = ?1 AND name = ?2"));
  row.Bind(0, mount.View()).Bind(1, name);
  COFFER_ASSIGN(const bool found, row.Step());
  if (!found) return std::optional<StoredKey>{};
  COFFER_ASSIGN(StoredKey stored, KeyFromRow(row));
  COFFER_TRY(ReadVersions(reader, stored.key));
  return std::optional(std::move(stored));
}

Status ForEachDigest(storage::Database& database,
                     const std::function<void(const KeyDigest&)>& visit) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement rows, reader.Prepare("SELECT id, generation, mac FROM keys"));
  while (true) {
    COFFER_ASSIGN(const bool more, rows.Step());
    if (!more) return {};
    const auto id = IdAt(rows, 0);
    if (!id) return Damaged("key");
    visit({*id, rows.Int(1), rows.Blob(2)});
  }
}

Result<KeyDigest> ReadDigest(storage::Database& database, const MountedName& place) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement row, reader.Prepare("SELECT id, generation, mac FROM keys"
                                              " WHERE mount = ?1 AND name = ?2"));
  COFFER_ASSIGN(const bool found,
                row.Bind(0, place.mount.View()).Bind(1, std::string_view(place.name)).Step());
  const auto id = found ? IdAt(row, 0) : std::nullopt;
  if (!id) return Damaged("key");
  return KeyDigest{*id, row.Int(1), row.Blob(2)};
}

Result<std::vector<MountedName>> AllKeys(storage::Database& database, const Id* mount) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement rows,
                reader.Prepare("SELECT mount, name FROM keys WHERE ?1 IS NULL OR mount = ?1"
                               " ORDER BY mount, name"));
  if (mount != nullptr) {
    rows.Bind(0, mount->View());
  } else {
    rows.BindNull(0);
  }
  return Places(rows);
}

Result<std::vector<std::string>> Names(storage::Database& database, const Id& mount,
                                       std::string_view after, std::int64_t limit) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement rows,
                reader.Prepare("SELECT name FROM keys WHERE mount = ?1 AND name > ?2"
                               " ORDER BY name LIMIT ?3"));
  rows.Bind(0, mount.View()).Bind(1, after).Bind(2, limit > 0 ? limit : -1);
  std::vector<std::string> names;
  while (true) {
    COFFER_ASSIGN(const bool more, rows.Step());
    if (!more) return names;
    names.push_back(rows.Text(0));
  }
}

Result<std::vector<MountedName>> DueForRotation(storage::Database& database, SystemTime now) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement rows,
                reader.Prepare("SELECT k.mount, k.name FROM keys k JOIN key_versions v"
                               " ON v.key = k.id AND v.version = k.latest_version"
                               " WHERE k.auto_rotate_period > 0 AND k.soft_deleted = 0"
                               " AND v.created + k.auto_rotate_period * 1000000000 < ?1"));
  rows.Bind(0, UnixNanoseconds(now));
  return Places(rows);
}

Status WriteKey(Transaction& transaction, const Key& key, ByteView mac) {
  const ColumnList& list = KeyColumnList();
  COFFER_ASSIGN(
      Statement write,
      transaction.Prepare("INSERT INTO keys (" + list.names + ") VALUES (" + list.parameters +
                          ") ON CONFLICT (id) DO UPDATE SET " + list.updates));
  int at = 0;
  ForEachKeyColumn(key, [&](const Column&, const auto& value) { BindCell(write, at++, value); });
  write.Bind(at, mac);
  return Execute(write);
}

Status InsertVersion(Transaction& transaction, const Id& key, KeyType type,
                     const KeyVersion& version) {
  const ColumnList& list = VersionColumnList();
  COFFER_ASSIGN(Statement insert, transaction.Prepare("INSERT INTO key_versions (" + list.names +
                                                      ") VALUES (" + list.parameters + ")"));
  BindCell(insert, 0, key);
  BindCell(insert, 1, type);
  int at = 2;
  ForEachVersionColumn(version,
                       [&](const Column&, const auto& value) { BindCell(insert, at++, value); });
  return Execute(insert);
}

Status WriteCertificates(Transaction& transaction, const Id& key, const KeyVersion& version) {
  COFFER_ASSIGN(Statement write,
                transaction.Prepare("UPDATE key_versions SET certificate_chain = ?3"
                                    " WHERE key = ?1 AND version = ?2"));
  write.Bind(0, key.View())
      .Bind(1, std::int64_t{version.info.version})
      .Bind(2, std::string_view(version.certificate_chain));
  return Execute(write);
}

Status DeleteVersionsBelow(Transaction& transaction, const Id& key, int version) {
  std::vector<int> counted;
  {
    COFFER_ASSIGN(
        Statement select,
        transaction.Prepare("SELECT version FROM key_counters WHERE key = ?1 AND version < ?2"));
    select.Bind(0, key.View()).Bind(1, std::int64_t{version});
    while (true) {
      COFFER_ASSIGN(const bool more, select.Step());
      if (!more) break;
      counted.push_back(static_cast<int>(select.Int(0)));
    }
  }
  for (const int gone : counted) COFFER_TRY(Counters::Remove(transaction, key, gone));
  COFFER_ASSIGN(Statement remove,
                transaction.Prepare("DELETE FROM key_versions WHERE key = ?1 AND version < ?2"));
  remove.Bind(0, key.View()).Bind(1, std::int64_t{version});
  return Execute(remove);
}

Status DeleteKey(Transaction& transaction, const Id& key) {
  constexpr int kAll = std::numeric_limits<int>::max();
  COFFER_TRY(DeleteVersionsBelow(transaction, key, kAll));
  COFFER_ASSIGN(Statement remove, transaction.Prepare("DELETE FROM keys WHERE id = ?1"));
  remove.Bind(0, key.View());
  return Execute(remove);
}

Status ChargeVersion(Transaction& transaction, const Id& key, int version, std::int64_t mark) {
  return Counters::Put(transaction, {key, version, mark});
}

Result<Reserved> ReserveEncryptions(storage::Database& database, const Id& key, int version,
                                    std::int64_t block, std::int64_t limit) {
  COFFER_ASSIGN(Transaction transaction, database.Begin());
  COFFER_ASSIGN(const auto counter, Counters::Find(transaction, key, version));
  const std::int64_t before = counter ? counter->row.reserved : 0;
  Reserved reserved;
  reserved.mark = std::max(before, std::min(before + block, limit));
  reserved.granted = reserved.mark - before;
  if (reserved.granted == 0) return reserved;
  COFFER_TRY(ChargeVersion(transaction, key, version, reserved.mark));
  COFFER_TRY(transaction.Commit());
  return reserved;
}

Result<Id> ReadDatabaseId(storage::Reader& reader) {
  COFFER_ASSIGN(Statement row, reader.Prepare("SELECT database_id FROM keyring_identity"));
  COFFER_ASSIGN(const bool found, row.Step());
  const auto id = found ? IdAt(row, 0) : std::nullopt;
  if (!id) return Damaged("database identity");
  return *id;
}

Result<Id> LoadOrCreateDatabaseId(storage::Database& database, coffer::Random& random) {
  COFFER_ASSIGN(Transaction transaction, database.Begin());
  {
    COFFER_ASSIGN(Statement row, transaction.Prepare("SELECT database_id FROM keyring_identity"));
    COFFER_ASSIGN(const bool found, row.Step());
    if (found) {
      const auto id = IdAt(row, 0);
      if (!id) return Damaged("database identity");
      return *id;
    }
  }
  const Id id = Id::Generate(random);
  COFFER_ASSIGN(
      Statement insert,
      transaction.Prepare("INSERT INTO keyring_identity (one, database_id) VALUES (1, ?1)"));
  insert.Bind(0, id.View());
  COFFER_TRY(Execute(insert));
  COFFER_TRY(transaction.Commit());
  return id;
}

}  // namespace coffer::keyring::store
