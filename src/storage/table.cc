#include "coffer/storage/table.h"

#include "coffer/base/parse.h"
#include "coffer/base/secret_bytes.h"
#include "storage/row_sums.h"
#include "storage/table_sql.h"

namespace coffer::storage {
namespace {

// The bytes that choose the shard: those of the first key column.
int ShardOfKey(const TableShape& shape, std::span<const Value> key) {
  const auto* const bytes = std::get_if<Bytes>(&key.front());
  return bytes == nullptr ? 0 : ShardOf(shape, *bytes);
}

void BindAll(Statement& statement, int first, std::span<const Value> values) {
  for (const Value& value : values) BindValue(statement, first++, value);
}

struct RawRow {
  Values values;
  std::int64_t generation = 0;
  Bytes mac;
};

RawRow ReadRaw(const Statement& row, const TableShape& shape) {
  const auto columns = static_cast<int>(shape.columns.size());
  return {ReadValues(row, shape), row.Int(columns), row.Blob(columns + 1)};
}

Result<std::optional<RawRow>> FindRaw(Connection& connection, const TableShape& shape,
                                      std::span<const Value> key) {
  COFFER_ASSIGN(Statement select, connection.Prepare(SelectSql(shape, KeyEquals(shape))));
  BindAll(select, 0, key);
  COFFER_ASSIGN(const bool found, select.Step());
  if (!found) return std::optional<RawRow>{};
  return std::optional(ReadRaw(select, shape));
}

Status CheckMac(const RowSums& sums, const TableShape& shape, const RawRow& row) {
  if (ConstantTimeEqual(sums.RowMac(shape, row.values, row.generation), row.mac)) return {};
  return Fail(rows::Unreadable(shape));
}

// A row older than one that this process has seen is a replay, unless the snapshot is older too.
Status CheckNewest(RowSource source, const TableShape& shape, const RawRow& row) {
  const std::span key(row.values.data(), shape.keys);
  SeenRows& seen = source.Sums().Seen();
  // A transaction may read a row that it wrote itself and will never commit, so it remembers none.
  const bool remember = !source.InTransaction();
  if (seen.Admit(SeenRows::NameOf(shape, key), row.generation, remember)) return {};
  if (!source.InTransaction()) {
    COFFER_ASSIGN(Reader now, source.Anew());
    COFFER_ASSIGN(const auto fresh, FindRaw(RowSource(now).In(), shape, key));
    if (!fresh) return {};
    if (seen.Admit(SeenRows::NameOf(shape, key), fresh->generation, remember)) return {};
  }
  return Fail(Code::kCorrupt, "a row of " + std::string(shape.table.name) +
                                  " was put back to an earlier state: restore a backup");
}

Status CheckRow(RowSource source, const TableShape& shape, const RawRow& row) {
  COFFER_TRY(CheckMac(source.Sums(), shape, row));
  return CheckNewest(source, shape, row);
}

// The part of the row that is its key.
std::span<const Value> KeyOf(const TableShape& shape, std::span<const Value> values) {
  return values.subspan(0, shape.keys);
}

Status Overwrite(RowSource source, const TableShape& shape, std::span<const Value> values,
                 const RawRow& former) {
  RowSums& sums = source.Sums();
  const auto key = KeyOf(shape, values);
  const std::int64_t generation =
      sums.NextGeneration(shape, ShardOfKey(shape, key), former.generation);
  const Code256 mac = sums.RowMac(shape, values, generation);
  COFFER_ASSIGN(Statement update, source.In().Prepare(UpdateSql(shape)));
  const auto others = values.subspan(shape.keys);
  int next = static_cast<int>(others.size());
  BindAll(update, 0, others);
  update.Bind(next, generation).Bind(next + 1, ByteView(mac));
  next += 2;
  BindAll(update, next, key);
  update.Bind(next + static_cast<int>(key.size()), former.generation);
  COFFER_ASSIGN(const std::int64_t changed, update.Run());
  if (changed != 1) return Fail(Code::kConflict, "was changed meanwhile: try again");
  sums.Count(shape, ShardOfKey(shape, key), former.mac, mac);
  sums.CountSeen(shape, key, generation);
  return {};
}

}  // namespace

std::string ToNetstrings(std::span<const std::string> items) {
  std::string text;
  for (const std::string& item : items) {
    text.append(std::to_string(item.size())).append(":").append(item).append(",");
  }
  return text;
}

std::optional<std::vector<std::string>> FromNetstrings(std::string_view text) {
  constexpr std::size_t kLongestLength = 9;  // digits
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t colon = text.substr(0, kLongestLength + 1).find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto size = ParseInt64(text.substr(0, colon));
    text.remove_prefix(colon + 1);
    if (!size || *size < 0 || static_cast<std::uint64_t>(*size) >= text.size()) return std::nullopt;
    const auto length = static_cast<std::size_t>(*size);
    if (text[length] != ',') return std::nullopt;
    items.emplace_back(text.substr(0, length));
    text.remove_prefix(length + 1);
  }
  return items;
}

namespace rows {

Error Unreadable(const TableShape& shape) {
  return {Code::kCorrupt,
          "a row of " + std::string(shape.table.name) + " failed its check: restore a backup"};
}

Result<std::optional<Stored>> Find(RowSource source, const TableShape& shape,
                                   std::span<const Value> key) {
  COFFER_TRY(source.Sums().CheckJoined());
  COFFER_ASSIGN(auto row, FindRaw(source.In(), shape, key));
  if (!row) return std::optional<Stored>{};
  COFFER_TRY(CheckRow(source, shape, *row));
  return std::optional(Stored{std::move(row->values), row->generation});
}

Status Select(RowSource source, const TableShape& shape, const Selection& selection,
              const std::function<Status(Stored&)>& visit) {
  COFFER_TRY(source.Sums().CheckJoined());
  std::string where;
  if (selection.equal) {
    where = std::string(selection.column) + " = ?";
  } else if (!selection.after.empty()) {
    where = KeyAfter(shape);
  }
  std::string sql = SelectSql(shape, where) + " ORDER BY " + KeyOrder(shape);
  if (selection.limit > 0) sql += " LIMIT ?";
  COFFER_ASSIGN(Statement select, source.In().Prepare(sql));
  int next = 0;
  if (selection.equal) {
    BindValue(select, next++, *selection.equal);
  } else {
    BindAll(select, next, selection.after);
    next += static_cast<int>(selection.after.size());
  }
  if (selection.limit > 0) select.Bind(next, selection.limit);
  while (true) {
    COFFER_ASSIGN(const bool more, select.Step());
    if (!more) return {};
    RawRow row = ReadRaw(select, shape);
    COFFER_TRY(CheckRow(source, shape, row));
    Stored stored{std::move(row.values), row.generation};
    COFFER_TRY(visit(stored));
  }
}

Status Insert(Transaction& transaction, const TableShape& shape, std::span<const Value> values) {
  const RowSource source(transaction);
  RowSums& sums = source.Sums();
  COFFER_TRY(sums.CheckJoined());
  const auto key = KeyOf(shape, values);
  const std::int64_t generation = sums.NextGeneration(shape, ShardOfKey(shape, key), 0);
  const Code256 mac = sums.RowMac(shape, values, generation);
  COFFER_ASSIGN(Statement insert, source.In().Prepare(InsertSql(shape)));
  BindAll(insert, 0, values);
  const auto columns = static_cast<int>(values.size());
  COFFER_TRY(insert.Bind(columns, generation).Bind(columns + 1, ByteView(mac)).Run());
  sums.Count(shape, ShardOfKey(shape, key), {}, mac);
  sums.CountSeen(shape, key, generation);
  return {};
}

Status Update(Transaction& transaction, const TableShape& shape, std::span<const Value> values,
              std::optional<std::int64_t> expected) {
  const RowSource source(transaction);
  COFFER_TRY(source.Sums().CheckJoined());
  COFFER_ASSIGN(const auto former, FindRaw(source.In(), shape, KeyOf(shape, values)));
  if (!former || (expected && former->generation != *expected)) {
    return Fail(Code::kConflict, "was changed meanwhile: try again");
  }
  COFFER_TRY(CheckRow(source, shape, *former));
  return Overwrite(source, shape, values, *former);
}

Status Put(Transaction& transaction, const TableShape& shape, std::span<const Value> values) {
  const RowSource source(transaction);
  COFFER_TRY(source.Sums().CheckJoined());
  COFFER_ASSIGN(const auto former, FindRaw(source.In(), shape, KeyOf(shape, values)));
  if (!former) return Insert(transaction, shape, values);
  COFFER_TRY(CheckRow(source, shape, *former));
  return Overwrite(source, shape, values, *former);
}

Result<bool> Remove(Transaction& transaction, const TableShape& shape, std::span<const Value> key) {
  const RowSource source(transaction);
  RowSums& sums = source.Sums();
  COFFER_TRY(sums.CheckJoined());
  // A row with a wrong MAC can be removed, too. The sum of its shard still shows the damage.
  COFFER_ASSIGN(const auto former, FindRaw(source.In(), shape, key));
  if (!former) return false;
  COFFER_ASSIGN(Statement remove, source.In().Prepare(DeleteSql(shape)));
  BindAll(remove, 0, key);
  COFFER_TRY(remove.Run());
  sums.Count(shape, ShardOfKey(shape, key), former->mac, {});
  sums.CountSeen(shape, key, former->generation + 1);
  return true;
}

}  // namespace rows
}  // namespace coffer::storage
