#include "auth/token_rows_store.h"

#include <algorithm>
#include <functional>
#include <string>

#include "auth/text_list.h"
#include "coffer/auth/schema.h"

namespace coffer::auth {
namespace {

constexpr std::string_view kStepOne = R"sql(
CREATE TABLE tokens (
  hash BLOB NOT NULL PRIMARY KEY,
  accessor TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  created_nanoseconds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token_policies (
  token_hash BLOB NOT NULL REFERENCES tokens (hash) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  policy TEXT NOT NULL,
  PRIMARY KEY (token_hash, position)
) STRICT, WITHOUT ROWID;
)sql";

// Until this step there was one token, with the one policy "root". X'04000000726F6F74' is that
// list. Everything about a token stands in its one row.
constexpr std::string_view kStepTwo = R"sql(
CREATE TABLE policies (
  name TEXT NOT NULL PRIMARY KEY,
  text TEXT NOT NULL,
  modified_nanoseconds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE root_tokens (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  made_nanoseconds INTEGER NOT NULL
) STRICT;
INSERT INTO root_tokens (id, made_nanoseconds)
  SELECT 1, created_nanoseconds FROM tokens LIMIT 1;
ALTER TABLE tokens RENAME TO former_tokens;
CREATE TABLE tokens (
  hash BLOB NOT NULL PRIMARY KEY,
  parent BLOB REFERENCES tokens (hash),
  accessor TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  policies BLOB NOT NULL,
  path TEXT NOT NULL,
  role TEXT NOT NULL,
  metadata BLOB NOT NULL,
  bound_cidrs BLOB NOT NULL,
  created_nanoseconds INTEGER NOT NULL,
  expires_nanoseconds INTEGER,
  renewed_nanoseconds INTEGER,
  creation_ttl INTEGER NOT NULL,
  explicit_max_ttl INTEGER NOT NULL,
  period INTEGER NOT NULL,
  uses INTEGER NOT NULL,
  renewable INTEGER NOT NULL,
  orphan INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_parent ON tokens (parent);
CREATE INDEX tokens_by_end ON tokens (expires_nanoseconds);
INSERT INTO tokens
  SELECT hash, NULL, accessor, display_name, X'04000000726F6F74', 'auth/token/root', '', X'', X'',
    created_nanoseconds, NULL, NULL, 0, 0, 0, 0, 0, 1 FROM former_tokens;
DROP TABLE token_policies;
DROP TABLE former_tokens;
CREATE TABLE token_roles (
  name TEXT NOT NULL PRIMARY KEY,
  settings BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::string_view kColumns =
    "hash, parent, accessor, display_name, policies, path, role, metadata, bound_cidrs, "
    "created_nanoseconds, expires_nanoseconds, renewed_nanoseconds, creation_ttl, "
    "explicit_max_ttl, period, uses, renewable, orphan";

// The token and its ancestors: how many there are, the first of their ends, and whether the line
// ends in a token without a parent. UNION ends the search even if somebody made the line a circle.
constexpr std::string_view kLine =
    "WITH RECURSIVE line (hash, parent, ends) AS ("
    "SELECT hash, parent, expires_nanoseconds FROM tokens WHERE hash = ? UNION "
    "SELECT t.hash, t.parent, t.expires_nanoseconds FROM tokens t JOIN line ON t.hash = "
    "line.parent) "
    "SELECT count(*), min(ends), count(*) - count(parent) FROM line";

std::optional<crypto::Sha256Digest> DigestOf(ByteView bytes) {
  crypto::Sha256Digest digest;
  if (bytes.size() != digest.size()) return std::nullopt;
  std::ranges::copy(bytes, digest.begin());
  return digest;
}

tl::unexpected<Error> DamagedRow(const storage::Statement& row) {
  return Fail(Code::kCorrupt, "the table of tokens is damaged: restore a backup",
              "token with accessor " + row.Text(2));
}

std::optional<SystemTime> TimeOf(const storage::Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return FromUnixNanoseconds(row.Int(column));
}

Result<TokenEntry> EntryOf(const storage::Statement& row) {
  TokenEntry entry;
  const auto hash = DigestOf(row.Blob(0));
  if (!row.IsNull(1)) entry.parent = DigestOf(row.Blob(1));
  auto policies = DecodeTexts(row.Blob(4));
  const auto metadata = DecodeTexts(row.Blob(7));
  auto cidrs = DecodeTexts(row.Blob(8));
  if (!hash || (!row.IsNull(1) && !entry.parent) || !policies || !metadata ||
      metadata->size() % 2 != 0 || !cidrs) {
    return DamagedRow(row);
  }
  entry.hash = *hash;
  entry.accessor = row.Text(2);
  entry.display_name = row.Text(3);
  entry.policies = std::move(*policies);
  entry.path = row.Text(5);
  entry.role = row.Text(6);
  for (std::size_t i = 0; i < metadata->size(); i += 2) {
    entry.metadata.emplace_back((*metadata)[i], (*metadata)[i + 1]);
  }
  auto bound = AddressSet::Parse(*cidrs);
  if (!bound) return DamagedRow(row);
  entry.bound_addresses = std::move(*bound);
  entry.bound_cidrs = std::move(*cidrs);
  entry.created = FromUnixNanoseconds(row.Int(9));
  entry.expires = TimeOf(row, 10);
  entry.last_renewal = TimeOf(row, 11);
  entry.creation_ttl = row.Int(12);
  entry.explicit_max_ttl = row.Int(13);
  entry.period = row.Int(14);
  entry.uses = row.Int(15);
  entry.renewable = row.Int(16) != 0;
  entry.orphan = row.Int(17) != 0;
  return entry;
}

void BindTime(storage::Statement& statement, int index, const std::optional<SystemTime>& time) {
  if (time) {
    statement.Bind(index, UnixNanoseconds(*time));
  } else {
    statement.BindNull(index);
  }
}

// The first end in a line; an outer nothing: a token or an ancestor is missing.
Result<std::optional<std::optional<SystemTime>>> LineEnd(storage::Statement& line,
                                                         const crypto::Sha256Digest& hash) {
  line.Bind(0, ByteView(hash));
  COFFER_ASSIGN(const bool row, line.Step());
  if (!row || line.Int(0) == 0 || line.Int(2) != 1) {
    return std::optional<std::optional<SystemTime>>();
  }
  return std::optional(TimeOf(line, 1));
}

// Deletes the tokens that `seeds` selects, and all that descend from them.
Result<Digests> DeleteTrees(storage::Transaction& transaction, const std::string& seeds,
                            const std::function<void(storage::Statement&)>& bind) {
  COFFER_ASSIGN(storage::Statement remove,
                transaction.Prepare("DELETE FROM tokens WHERE hash IN (WITH RECURSIVE tree (hash) "
                                    "AS (" +
                                    seeds +
                                    " UNION SELECT t.hash FROM tokens t JOIN tree ON t.parent = "
                                    "tree.hash) SELECT hash FROM tree) RETURNING hash"));
  bind(remove);
  Digests deleted;
  while (true) {
    COFFER_ASSIGN(const bool row, remove.Step());
    if (!row) return deleted;
    if (const auto digest = DigestOf(remove.Blob(0))) deleted.push_back(*digest);
  }
}

}  // namespace

std::vector<storage::Migration> Schema() { return {{"auth", 1, kStepOne}, {"auth", 2, kStepTwo}}; }

Result<std::optional<TokenOfLine>> ReadTokenRow(storage::Reader& reader,
                                                const crypto::Sha256Digest& hash) {
  COFFER_ASSIGN(storage::Statement select,
                reader.Prepare("SELECT " + std::string(kColumns) + " FROM tokens WHERE hash = ?"));
  select.Bind(0, ByteView(hash));
  COFFER_ASSIGN(const bool row, select.Step());
  if (!row) return std::nullopt;
  COFFER_ASSIGN(TokenEntry entry, EntryOf(select));
  COFFER_ASSIGN(storage::Statement line, reader.Prepare(kLine));
  COFFER_ASSIGN(const auto ends, LineEnd(line, hash));
  if (!ends) return std::nullopt;
  return TokenOfLine{std::move(entry), *ends};
}

Result<std::optional<crypto::Sha256Digest>> FindTokenRow(storage::Reader& reader,
                                                         std::string_view accessor) {
  COFFER_ASSIGN(storage::Statement select,
                reader.Prepare("SELECT hash FROM tokens WHERE accessor = ?"));
  select.Bind(0, accessor);
  COFFER_ASSIGN(const bool row, select.Step());
  if (!row) return std::nullopt;
  return DigestOf(select.Blob(0));
}

Result<std::vector<std::string>> ReadAccessors(storage::Reader& reader, SystemTime now) {
  COFFER_ASSIGN(storage::Statement select,
                reader.Prepare("SELECT accessor FROM tokens WHERE expires_nanoseconds IS NULL OR "
                               "expires_nanoseconds > ? ORDER BY accessor"));
  select.Bind(0, UnixNanoseconds(now));
  std::vector<std::string> accessors;
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return accessors;
    accessors.push_back(select.Text(0));
  }
}

Result<bool> WasInitialized(storage::Reader& reader) {
  COFFER_ASSIGN(storage::Statement select, reader.Prepare("SELECT 1 FROM root_tokens"));
  return select.Step();
}

Status InsertTokenRow(storage::Transaction& transaction, const TokenEntry& entry) {
  COFFER_ASSIGN(
      storage::Statement insert,
      transaction.Prepare("INSERT INTO tokens (" + std::string(kColumns) +
                          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(0, ByteView(entry.hash));
  if (entry.parent) {
    insert.Bind(1, ByteView(*entry.parent));
  } else {
    insert.BindNull(1);
  }
  std::vector<std::string> metadata;
  for (const auto& [name, value] : entry.metadata) metadata.insert(metadata.end(), {name, value});
  const Bytes policies = EncodeTexts(entry.policies);
  const Bytes pairs = EncodeTexts(metadata);
  const Bytes cidrs = EncodeTexts(entry.bound_cidrs);
  insert.Bind(2, entry.accessor).Bind(3, entry.display_name).Bind(4, ByteView(policies));
  insert.Bind(5, entry.path).Bind(6, entry.role).Bind(7, ByteView(pairs)).Bind(8, ByteView(cidrs));
  insert.Bind(9, UnixNanoseconds(entry.created));
  BindTime(insert, 10, entry.expires);
  BindTime(insert, 11, entry.last_renewal);
  insert.Bind(12, entry.creation_ttl).Bind(13, entry.explicit_max_ttl).Bind(14, entry.period);
  insert.Bind(15, entry.uses).Bind(16, std::int64_t{entry.renewable});
  COFFER_TRY(insert.Bind(17, std::int64_t{entry.orphan}).Run());
  return {};
}

Status MarkInitialized(storage::Transaction& transaction, SystemTime now) {
  COFFER_ASSIGN(storage::Statement insert,
                transaction.Prepare("INSERT OR IGNORE INTO root_tokens (id, made_nanoseconds) "
                                    "VALUES (1, ?)"));
  COFFER_TRY(insert.Bind(0, UnixNanoseconds(now)).Run());
  return {};
}

Result<std::int64_t> TakeUse(storage::Transaction& transaction, const crypto::Sha256Digest& hash) {
  COFFER_ASSIGN(storage::Statement last,
                transaction.Prepare("DELETE FROM tokens WHERE hash = ? AND uses = 1"));
  COFFER_ASSIGN(const std::int64_t ended, last.Bind(0, ByteView(hash)).Run());
  if (ended > 0) return ended;
  COFFER_ASSIGN(
      storage::Statement take,
      transaction.Prepare("UPDATE tokens SET uses = uses - 1 WHERE hash = ? AND uses > 1"));
  return take.Bind(0, ByteView(hash)).Run();
}

Result<std::int64_t> SetExpiry(storage::Transaction& transaction, const crypto::Sha256Digest& hash,
                               SystemTime expires, SystemTime now) {
  COFFER_ASSIGN(storage::Statement update,
                transaction.Prepare("UPDATE tokens SET expires_nanoseconds = ?, "
                                    "renewed_nanoseconds = ? WHERE hash = ?"));
  update.Bind(0, UnixNanoseconds(expires)).Bind(1, UnixNanoseconds(now));
  return update.Bind(2, ByteView(hash)).Run();
}

Result<bool> IsLineAlive(storage::Transaction& transaction, const crypto::Sha256Digest& hash,
                         SystemTime now) {
  COFFER_ASSIGN(storage::Statement line, transaction.Prepare(kLine));
  COFFER_ASSIGN(const auto ends, LineEnd(line, hash));
  return ends && (!*ends || **ends > now);
}

Result<Digests> DeleteTree(storage::Transaction& transaction, const crypto::Sha256Digest& hash) {
  return DeleteTrees(transaction, "SELECT hash FROM tokens WHERE hash = ?",
                     [&](storage::Statement& remove) { remove.Bind(0, ByteView(hash)); });
}

Result<Digests> DeleteEnded(storage::Transaction& transaction, SystemTime now) {
  return DeleteTrees(transaction, "SELECT hash FROM tokens WHERE expires_nanoseconds <= ?",
                     [&](storage::Statement& remove) { remove.Bind(0, UnixNanoseconds(now)); });
}

Result<Digests> DeleteLastingRoots(storage::Transaction& transaction) {
  const Bytes root = EncodeTexts({std::string(kRootPolicy)});
  return DeleteTrees(
      transaction,
      "SELECT hash FROM tokens WHERE policies = ? AND parent IS NULL AND expires_nanoseconds IS "
      "NULL",
      [&](storage::Statement& remove) { remove.Bind(0, ByteView(root)); });
}

Status DeleteOrphaning(storage::Transaction& transaction, const crypto::Sha256Digest& hash) {
  COFFER_ASSIGN(
      storage::Statement orphan,
      transaction.Prepare("UPDATE tokens SET parent = NULL, orphan = 1 WHERE parent = ?"));
  COFFER_TRY(orphan.Bind(0, ByteView(hash)).Run());
  COFFER_ASSIGN(storage::Statement remove,
                transaction.Prepare("DELETE FROM tokens WHERE hash = ?"));
  COFFER_TRY(remove.Bind(0, ByteView(hash)).Run());
  return {};
}

}  // namespace coffer::auth
