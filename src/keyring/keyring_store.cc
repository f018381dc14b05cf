#include "keyring/keyring_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "coffer/storage/table.h"

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

Status Run(Statement& statement) {
  COFFER_TRY(statement.Run());
  return {};
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

bool InIntRange(std::int64_t value) { return value >= 0 && value <= 2'000'000'000; }

Result<StoredKey> KeyFromRow(const Statement& row) {
  StoredKey stored;
  Key& key = stored.key;
  const auto id = IdAt(row, 0);
  const auto mount = IdAt(row, 1);
  const std::int64_t type = row.Int(3);
  for (const int column : {6, 7, 8, 9}) {
    if (!InIntRange(row.Int(column))) return Damaged("key");
  }
  if (!id || !mount || FindKeyType(type) == nullptr) return Damaged("key");
  const std::int64_t hmac_octets = row.Int(17);
  if (hmac_octets < kMinHmacOctets || hmac_octets > kMaxHmacOctets) return Damaged("key");
  key.id = *id;
  key.mount = *mount;
  key.name = row.Text(2);
  key.type = static_cast<KeyType>(type);
  key.created = FromUnixNanoseconds(row.Int(4));
  key.generation = row.Int(5);
  key.latest_version = static_cast<int>(row.Int(6));
  key.settings.min_decryption_version = static_cast<int>(row.Int(7));
  key.settings.min_encryption_version = static_cast<int>(row.Int(8));
  key.settings.min_available_version = static_cast<int>(row.Int(9));
  key.settings.deletion_allowed = row.Int(10) != 0;
  key.settings.allow_plaintext_backup = row.Int(11) != 0;
  key.settings.soft_deleted = row.Int(12) != 0;
  key.settings.rotation_required = row.Int(13) != 0;
  key.settings.auto_rotate_period_seconds = row.Int(14);
  key.derived = row.Int(15) != 0;
  key.convergent = row.Int(16) != 0;
  key.hmac_octets = static_cast<int>(hmac_octets);
  key.settings.imported = row.Int(18) != 0;
  key.settings.allow_imported_rotation = row.Int(19) != 0;
  stored.mac = row.Blob(20);
  key.exportable = row.Int(21) != 0;
  return stored;
}

Status ReadVersions(storage::Reader& reader, Key& key) {
  COFFER_ASSIGN(Statement rows,
                reader.Prepare("SELECT version, type, master, created, created_by, reason,"
                               " blob, hmac_master, hmac_blob, mac, custody, kdf, spki, locator,"
                               " imported_through, certificate_chain"
                               " FROM key_versions WHERE key = ?1 ORDER BY version"));
  rows.Bind(0, key.id.View());
  while (true) {
    COFFER_ASSIGN(const bool more, rows.Step());
    if (!more) return {};
    if (!InIntRange(rows.Int(0)) || rows.Int(1) != static_cast<std::int64_t>(key.type)) {
      return Damaged("key version");
    }
    KeyVersion version;
    version.info.version = static_cast<int>(rows.Int(0));
    version.info.master = rows.Text(2);
    version.info.created = FromUnixNanoseconds(rows.Int(3));
    version.info.created_by = rows.Text(4);
    version.info.reason = rows.Text(5);
    version.blob = rows.Blob(6);
    version.hmac_master = rows.Text(7);
    version.hmac_blob = rows.Blob(8);
    version.mac = rows.Blob(9);
    version.counter = std::make_shared<EncryptionCounter>();
    const std::int64_t custody = rows.Int(10);
    const std::optional<Kdf> kdf = FindKdf(rows.Int(11));
    const std::int64_t through = rows.Int(14);
    if (custody < 1 || custody > 3 || !kdf || through < 0 || through > 2) {
      return Damaged("key version");
    }
    version.custody = static_cast<Custody>(custody);
    version.kdf = *kdf;
    version.spki = rows.Blob(12);
    version.locator = rows.Blob(13);
    version.imported_through = static_cast<ImportedThrough>(through);
    version.certificate_chain = rows.Text(15);
    COFFER_ASSIGN(const auto counter, Counters::Find(reader, key.id, version.info.version));
    if (counter) version.counter->reserved.store(counter->row.reserved);
    key.versions.emplace(version.info.version, std::move(version));
  }
}

Result<std::vector<KeyPlace>> Places(Statement& rows) {
  std::vector<KeyPlace> places;
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
  return Run(remove);
}

Status DisableKey(Transaction& transaction, const Id& key, ByteView mac) {
  COFFER_ASSIGN(Statement update, transaction.Prepare("UPDATE keys SET mac = ?2 WHERE id = ?1"));
  update.Bind(0, key.View()).Bind(1, mac);
  return Run(update);
}

Result<std::int64_t> CountKeys(storage::Reader& reader) {
  COFFER_ASSIGN(Statement count, reader.Prepare("SELECT count(*) FROM keys"));
  COFFER_TRY(count.Step());
  return count.Int(0);
}

Result<std::optional<StoredKey>> ReadKey(storage::Database& database, const Id& mount,
                                         std::string_view name) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(
      Statement row,
      reader.Prepare("SELECT id, mount, name, type, created, generation, latest_version,"
                     " min_decryption_version, min_encryption_version, min_available_version,"
                     " deletion_allowed, allow_plaintext_backup, soft_deleted,"
                     " rotation_required, auto_rotate_period, derived, convergent, hmac_octets,"
                     " imported, allow_imported_rotation, mac, exportable"
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

Result<KeyDigest> ReadDigest(storage::Database& database, const KeyPlace& place) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement row, reader.Prepare("SELECT id, generation, mac FROM keys"
                                              " WHERE mount = ?1 AND name = ?2"));
  COFFER_ASSIGN(const bool found,
                row.Bind(0, place.mount.View()).Bind(1, std::string_view(place.name)).Step());
  const auto id = found ? IdAt(row, 0) : std::nullopt;
  if (!id) return Damaged("key");
  return KeyDigest{*id, row.Int(1), row.Blob(2)};
}

Result<std::vector<KeyPlace>> AllKeys(storage::Database& database, const Id* mount) {
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

Result<std::vector<KeyPlace>> DueForRotation(storage::Database& database, SystemTime now) {
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
  COFFER_ASSIGN(
      Statement write,
      transaction.Prepare(
          "INSERT INTO keys (id, mount, name, type, created, generation, latest_version,"
          " min_decryption_version, min_encryption_version, min_available_version, "
          "deletion_allowed,"
          " allow_plaintext_backup, soft_deleted, rotation_required, auto_rotate_period, derived,"
          " convergent, hmac_octets, imported, allow_imported_rotation, mac, exportable)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
          " ?18, ?19, ?20, ?21, ?22)"
          " ON CONFLICT (id) DO UPDATE SET generation = excluded.generation,"
          " latest_version = excluded.latest_version,"
          " min_decryption_version = excluded.min_decryption_version,"
          " min_encryption_version = excluded.min_encryption_version,"
          " min_available_version = excluded.min_available_version,"
          " deletion_allowed = excluded.deletion_allowed,"
          " allow_plaintext_backup = excluded.allow_plaintext_backup,"
          " soft_deleted = excluded.soft_deleted, rotation_required = excluded.rotation_required,"
          " auto_rotate_period = excluded.auto_rotate_period, imported = excluded.imported,"
          " allow_imported_rotation = excluded.allow_imported_rotation, mac = excluded.mac"));
  const KeySettings& settings = key.settings;
  write.Bind(0, key.id.View())
      .Bind(1, key.mount.View())
      .Bind(2, std::string_view(key.name))
      .Bind(3, static_cast<std::int64_t>(key.type))
      .Bind(4, UnixNanoseconds(key.created))
      .Bind(5, key.generation)
      .Bind(6, std::int64_t{key.latest_version})
      .Bind(7, std::int64_t{settings.min_decryption_version})
      .Bind(8, std::int64_t{settings.min_encryption_version})
      .Bind(9, std::int64_t{settings.min_available_version})
      .Bind(10, std::int64_t{settings.deletion_allowed})
      .Bind(11, std::int64_t{settings.allow_plaintext_backup})
      .Bind(12, std::int64_t{settings.soft_deleted})
      .Bind(13, std::int64_t{settings.rotation_required})
      .Bind(14, settings.auto_rotate_period_seconds)
      .Bind(15, std::int64_t{key.derived})
      .Bind(16, std::int64_t{key.convergent})
      .Bind(17, std::int64_t{key.hmac_octets})
      .Bind(18, std::int64_t{settings.imported})
      .Bind(19, std::int64_t{settings.allow_imported_rotation})
      .Bind(20, mac)
      .Bind(21, std::int64_t{key.exportable});
  return Run(write);
}

Status InsertVersion(Transaction& transaction, const Id& key, KeyType type,
                     const KeyVersion& version) {
  COFFER_ASSIGN(Statement insert,
                transaction.Prepare("INSERT INTO key_versions (key, version, type, master, created,"
                                    " created_by, reason, blob, hmac_master, hmac_blob, mac,"
                                    " custody, kdf, spki, locator, imported_through,"
                                    " certificate_chain)"
                                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                                    " ?13, ?14, ?15, ?16, ?17)"));
  insert.Bind(0, key.View())
      .Bind(1, std::int64_t{version.info.version})
      .Bind(2, static_cast<std::int64_t>(type))
      .Bind(3, std::string_view(version.info.master))
      .Bind(4, UnixNanoseconds(version.info.created))
      .Bind(5, std::string_view(version.info.created_by))
      .Bind(6, std::string_view(version.info.reason))
      .Bind(7, ByteView(version.blob))
      .Bind(8, std::string_view(version.hmac_master))
      .Bind(9, ByteView(version.hmac_blob))
      .Bind(10, ByteView(version.mac))
      .Bind(11, static_cast<std::int64_t>(version.custody))
      .Bind(12, static_cast<std::int64_t>(version.kdf))
      .Bind(13, ByteView(version.spki))
      .Bind(14, ByteView(version.locator))
      .Bind(15, static_cast<std::int64_t>(version.imported_through))
      .Bind(16, std::string_view(version.certificate_chain));
  return Run(insert);
}

Status WriteCertificates(Transaction& transaction, const Id& key, const KeyVersion& version) {
  COFFER_ASSIGN(Statement write,
                transaction.Prepare("UPDATE key_versions SET certificate_chain = ?3"
                                    " WHERE key = ?1 AND version = ?2"));
  write.Bind(0, key.View())
      .Bind(1, std::int64_t{version.info.version})
      .Bind(2, std::string_view(version.certificate_chain));
  return Run(write);
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
  return Run(remove);
}

Status DeleteKey(Transaction& transaction, const Id& key) {
  constexpr int kAll = std::numeric_limits<int>::max();
  COFFER_TRY(DeleteVersionsBelow(transaction, key, kAll));
  COFFER_ASSIGN(Statement remove, transaction.Prepare("DELETE FROM keys WHERE id = ?1"));
  remove.Bind(0, key.View());
  return Run(remove);
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
  COFFER_TRY(Run(insert));
  COFFER_TRY(transaction.Commit());
  return id;
}

}  // namespace coffer::keyring::store
