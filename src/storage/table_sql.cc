#include "storage/table_sql.h"

namespace coffer::storage {
namespace {

constexpr int kBytes = 256;

std::string Joined(const TableShape& shape, std::size_t from, std::size_t to,
                   std::string_view after, std::string_view between) {
  std::string text;
  for (std::size_t i = from; i < to; ++i) {
    if (i != from) text.append(between);
    text.append(shape.columns[i].name).append(after);
  }
  return text;
}

std::string Parameters(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "?" : ", ?";
  return text;
}

}  // namespace

std::string KeyOrder(const TableShape& shape) { return Joined(shape, 0, shape.keys, "", ", "); }

std::string KeyEquals(const TableShape& shape) {
  return Joined(shape, 0, shape.keys, " = ?", " AND ");
}

std::string KeyAfter(const TableShape& shape) {
  return "(" + KeyOrder(shape) + ") > (" + Parameters(shape.keys) + ")";
}

std::string SelectSql(const TableShape& shape, const std::string& where) {
  return "SELECT " + Joined(shape, 0, shape.columns.size(), "", ", ") + ", generation, mac FROM " +
         std::string(shape.table.name) + (where.empty() ? "" : " WHERE " + where);
}

std::string InsertSql(const TableShape& shape) {
  return "INSERT INTO " + std::string(shape.table.name) + " (" +
         Joined(shape, 0, shape.columns.size(), "", ", ") + ", generation, mac) VALUES (" +
         Parameters(shape.columns.size() + 2) + ")";
}

std::string UpdateSql(const TableShape& shape) {
  const std::string others = Joined(shape, shape.keys, shape.columns.size(), " = ?, ", "");
  return "UPDATE " + std::string(shape.table.name) + " SET " + others +
         "generation = ?, mac = ? WHERE " + KeyEquals(shape) + " AND generation = ?";
}

std::string DeleteSql(const TableShape& shape) {
  return "DELETE FROM " + std::string(shape.table.name) + " WHERE " + KeyEquals(shape);
}

std::string ShardSql(const TableShape& shape, const std::string& columns, bool upper) {
  std::string sql = "SELECT " + columns + " FROM " + std::string(shape.table.name);
  if (shape.table.shards == 1) return sql;
  const std::string key(shape.columns.front().name);
  sql += " WHERE " + key + " >= ?";
  if (upper) sql += " AND " + key + " < ?";
  return sql;
}

void BindValue(Statement& statement, int index, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    statement.Bind(index, *number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    statement.Bind(index, std::string_view(*text));
  } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
    statement.Bind(index, ByteView(*bytes));
  } else {
    statement.BindNull(index);
  }
}

Values ReadValues(const Statement& row, const TableShape& shape) {
  Values values;
  values.reserve(shape.columns.size());
  int column = 0;
  for (const TableShape::Column& described : shape.columns) {
    if (row.IsNull(column)) {
      values.emplace_back(std::monostate());
      ++column;
      continue;
    }
    switch (described.kind) {
      case TableShape::Kind::kInteger:
        values.emplace_back(row.Int(column));
        break;
      case TableShape::Kind::kText:
        values.emplace_back(row.Text(column));
        break;
      case TableShape::Kind::kBlob:
        values.emplace_back(row.Blob(column));
        break;
    }
    ++column;
  }
  return values;
}

bool HasUpperBound(const TableShape& shape, int shard) {
  return shape.table.shards > 1 && shard + 1 < shape.table.shards;
}

void BindShard(Statement& statement, const TableShape& shape, int shard) {
  if (shape.table.shards == 1) return;
  const int width = kBytes / shape.table.shards;
  // An empty key is in the lowest shard. No store makes one, but an intruder could.
  const Bytes lower = shard == 0 ? Bytes{} : Bytes{static_cast<std::uint8_t>(shard * width)};
  statement.Bind(0, ByteView(lower));
  if (!HasUpperBound(shape, shard)) return;
  const Bytes upper{static_cast<std::uint8_t>((shard + 1) * width)};
  statement.Bind(1, ByteView(upper));
}

int ShardOf(const TableShape& shape, ByteView key) {
  if (shape.table.shards == 1 || key.empty()) return 0;
  return key.front() / (kBytes / shape.table.shards);
}

}  // namespace coffer::storage
