// The sums at a start: the checks, the effect of -accept-damaged-rows, and the first anchor of a
// database from before there were sums.

#include <utility>

#include "coffer/base/parse.h"
#include "coffer/base/secret_bytes.h"
#include "storage/row_sums.h"
#include "storage/table_sql.h"

namespace coffer::storage {
namespace {

constexpr std::string_view kAdvice = ": restore a backup, or start once with -accept-damaged-rows";

auto FailDamaged(const std::string& what) {
  return Fail(Code::kCorrupt, what + std::string(kAdvice));
}

bool Soluble(const TableShape& shape) {
  const int shards = shape.table.shards;
  const bool power = shards > 0 && shards <= 256 && (shards & (shards - 1)) == 0;
  const bool random_key = shards == 1 || (!shape.columns.empty() &&
                                          shape.columns.front().kind == TableShape::Kind::kBlob);
  return power && random_key && shape.keys > 0;
}

}  // namespace

Code256 RowSums::AnchorMac(std::uint64_t number, const Id& lineage,
                           std::string_view generations) const {
  CodedFields fields("coffer-anchor-1");
  fields.Put(kNode).Put(static_cast<std::int64_t>(number)).Put(lineage.View()).Put(generations);
  return codes_->Of("anchor", fields.View());
}

// Netstrings: of each table its name, its format, the number of its shards and their generations.
std::string RowSums::EncodeGenerations(const Anchor& anchor) const {
  std::vector<std::string> items;
  for (const TableShape* shape : tables_) {
    items.emplace_back(shape->table.name);
    items.push_back(std::to_string(shape->table.format));
    items.push_back(std::to_string(shape->table.shards));
    for (int i = 0; i < shape->table.shards; ++i) {
      items.push_back(std::to_string(anchor.generations.at({shape->table.name, i})));
    }
  }
  return ToNetstrings(items);
}

bool RowSums::DecodeGenerations(const std::string& text, Anchor& anchor) const {
  const auto items = FromNetstrings(text);
  if (!items) return false;
  for (std::size_t next = 0; next < items->size();) {
    if (items->size() - next < 3) return false;
    const std::string& table = (*items)[next];
    const auto format = ParseInt64((*items)[next + 1]);
    const auto shards = ParseInt64((*items)[next + 2]);
    next += 3;
    if (!format || !shards || *shards < 1 ||
        static_cast<std::uint64_t>(*shards) > items->size() - next) {
      return false;
    }
    const TableShape* const shape = ShapeOf(table);
    anchor.formats[table] = static_cast<int>(*format);
    for (std::int64_t i = 0; i < *shards; ++i) {
      const auto generation = ParseInt64((*items)[next++]);
      if (!generation) return false;
      if (shape == nullptr) continue;  // the table is no more
      anchor.generations[{shape->table.name, static_cast<int>(i)}] = *generation;
    }
    if (shape != nullptr && *shards != shape->table.shards) return false;
  }
  return true;
}

Result<std::optional<RowSums::Anchor>> RowSums::ReadAnchor(Connection& connection) const {
  COFFER_ASSIGN(Statement select, connection.Prepare("SELECT number, lineage, generations, mac "
                                                     "FROM store_anchors WHERE node = ?"));
  COFFER_ASSIGN(const bool found, select.Bind(0, kNode).Step());
  if (!found) return std::optional<Anchor>{};
  Anchor anchor;
  const auto lineage = Id::FromBytes(select.Blob(1));
  const std::string generations = select.Text(2);
  anchor.number = static_cast<std::uint64_t>(select.Int(0));
  anchor.lineage = lineage.value_or(Id{});
  if (!lineage ||
      !ConstantTimeEqual(AnchorMac(anchor.number, *lineage, generations), select.Blob(3)) ||
      !DecodeGenerations(generations, anchor)) {
    return Fail(Code::kCorrupt,
                "the anchor of the database failed its check: it was changed, or the database "
                "belongs to another token: restore a backup, or start with the token it was made "
                "with");
  }
  return std::optional(std::move(anchor));
}

Status RowSums::WriteAnchor(Connection& writer, const Anchor& anchor) const {
  const std::string generations = EncodeGenerations(anchor);
  COFFER_ASSIGN(Statement write,
                writer.Prepare("INSERT INTO store_anchors (node, number, lineage, generations, "
                               "mac) VALUES (?, ?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET "
                               "number = excluded.number, lineage = excluded.lineage, "
                               "generations = excluded.generations, mac = excluded.mac"));
  write.Bind(0, kNode).Bind(1, static_cast<std::int64_t>(anchor.number));
  write.Bind(2, anchor.lineage.View()).Bind(3, std::string_view(generations));
  const Code256 mac = AnchorMac(anchor.number, anchor.lineage, generations);
  COFFER_TRY(write.Bind(4, ByteView(mac)).Run());
  return {};
}

const TableShape* RowSums::ShapeOf(std::string_view table) const {
  for (const TableShape* shape : tables_) {
    if (shape->table.name == table) return shape;
  }
  return nullptr;
}

Status RowSums::RereadGenerations(Connection& writer) {
  for (const Shard& shard : Shards()) {
    COFFER_ASSIGN(const SumRow row, ReadSum(writer, shard, true));
    if (row.generation < KnownGeneration(shard)) {
      return Fail(Code::kCorrupt, "the rows of " + shard.Text() +
                                      " were put back to an earlier state: restore a backup");
    }
    const std::lock_guard lock(mutex_);
    generations_[shard] = row.generation;
  }
  COFFER_ASSIGN(auto anchor, ReadAnchor(writer));
  const std::lock_guard lock(mutex_);
  anchor_ = std::move(anchor);
  reread_ = false;
  return {};
}

Result<RowSums::SumRow> RowSums::SumOfRows(Connection& connection, const Shard& shard) const {
  const TableShape& shape = *ShapeOf(shard.table);
  COFFER_ASSIGN(Statement select,
                connection.Prepare(ShardSql(shape, "mac", HasUpperBound(shape, shard.index))));
  BindShard(select, shape, shard.index);
  SumRow found;
  while (true) {
    COFFER_ASSIGN(const bool more, select.Step());
    if (!more) return found;
    AddTo(found.sum, TermOf(shape, select.Blob(0)));
    ++found.rows;
  }
}

Status RowSums::Check(Connection& connection, const Shard& shard, std::int64_t known) const {
  COFFER_TRY(CheckJoined());
  if (ShapeOf(shard.table) == nullptr) return Fail(Code::kNotFound, "there is no such shard");
  COFFER_ASSIGN(const SumRow stored, ReadSum(connection, shard, false));
  COFFER_ASSIGN(const SumRow found, SumOfRows(connection, shard));
  if (stored.generation < known) {
    return FailDamaged("the rows of " + shard.Text() + " were put back to an earlier state");
  }
  if (stored.rows == found.rows && ConstantTimeEqual(stored.sum, found.sum)) return {};
  return FailDamaged("rows of " + shard.Text() + " were removed, changed or put back (" +
                     std::to_string(found.rows) + " are there, " + std::to_string(stored.rows) +
                     " were written)");
}

Status RowSums::CheckEmpty(Connection& writer, const TableShape& shape) const {
  COFFER_ASSIGN(Statement any,
                writer.Prepare("SELECT 1 FROM " + std::string(shape.table.name) + " LIMIT 1"));
  COFFER_ASSIGN(const bool row, any.Step());
  if (!row) return {};
  return Fail(Code::kCorrupt, "the table " + std::string(shape.table.name) +
                                  " has rows that no anchor covers: restore a backup");
}

// No shard may be older than the anchor says, and what no anchor covers must be empty.
Status RowSums::CheckGenerations(Connection& writer) {
  const std::lock_guard lock(mutex_);
  for (const auto& [shard, generation] : anchor_->generations) {
    if (generations_[shard] >= generation) continue;
    return FailDamaged("the rows of " + shard.Text() + " were put back to an earlier state");
  }
  for (const TableShape* shape : tables_) {
    const std::string table(shape->table.name);
    const auto covered = anchor_->formats.find(table);
    if (covered == anchor_->formats.end()) {
      COFFER_TRY(CheckEmpty(writer, *shape));
    } else if (covered->second == shape->table.format) {
      taken_over_.insert(table);
    }
  }
  return {};
}

Status RowSums::CheckWholeTables(Connection& writer) {
  for (const TableShape* shape : tables_) {
    if (shape->table.shards > 1) continue;
    const Shard shard{shape->table.name, 0};
    COFFER_TRY(Check(writer, shard, KnownGeneration(shard)));
  }
  return {};
}

// Notes the rows of the table that fail their own check.
Status RowSums::FindUnsound(Connection& writer, const TableShape& shape) {
  if (shape.table.own_macs || !taken_over_.contains(std::string(shape.table.name))) return {};
  COFFER_ASSIGN(Statement select, writer.Prepare(SelectSql(shape, "")));
  const auto columns = static_cast<int>(shape.columns.size());
  std::size_t found = 0;
  while (true) {
    COFFER_ASSIGN(const bool more, select.Step());
    if (!more) break;
    Values values = ReadValues(select, shape);
    const Code256 mac = RowMac(shape, values, select.Int(columns));
    if (ConstantTimeEqual(mac, select.Blob(columns + 1))) continue;
    const auto* const key = std::get_if<Bytes>(&values.front());
    to_recount_.insert({shape.table.name, key == nullptr ? 0 : ShardOf(shape, *key)});
    values.resize(shape.keys);
    to_remove_.emplace_back(&shape, std::move(values));
    ++found;
  }
  if (found > 0) {
    accepted_.push_back(std::to_string(found) + " rows of " + std::string(shape.table.name) +
                        " failed their check and are removed");
  }
  return {};
}

Status RowSums::AcceptDamage(Connection& writer) {
  for (const TableShape* shape : tables_) COFFER_TRY(FindUnsound(writer, *shape));
  for (const Shard& shard : Shards()) {
    const Status checked = Check(writer, shard, KnownGeneration(shard));
    const bool damaged = !checked && checked.error().code == Code::kCorrupt;
    if (!checked && !damaged) return checked;
    if (!damaged && !to_recount_.contains(shard)) continue;
    to_recount_.insert(shard);
    accepted_.push_back("the rows of " + shard.Text() +
                        " count as they are now: rows that were removed stay away, and rows that "
                        "were put back are in force");
  }
  return {};
}

Status RowSums::Join(Connection& writer, std::vector<const TableShape*> tables,
                     const Authentication& authentication) {
  codes_ = authentication.codes;
  random_ = &authentication.random;
  tables_ = std::move(tables);
  for (const TableShape* shape : tables_) {
    if (Soluble(*shape)) continue;
    return Fail(Code::kInternal, "database error",
                "table " + std::string(shape->table.name) + " cannot be cut into its shards");
  }
  // Without an anchor the age of the rows is unknown, and no flag accepts that.
  COFFER_ASSIGN(auto anchor, ReadAnchor(writer));
  const bool accept = authentication.accept_damaged_rows;
  for (const Shard& shard : Shards()) {
    const auto row = ReadSum(writer, shard, true);
    if (!row && row.error().code == Code::kCorrupt && accept) {
      to_recount_.insert(shard);
    } else if (!row) {
      return Fail(row.error());
    }
    const std::lock_guard lock(mutex_);
    generations_[shard] = row ? row->generation : 0;
  }
  if (!anchor) return {};
  {
    const std::lock_guard lock(mutex_);
    anchor_ = std::move(anchor);
  }
  if (!accept) {
    COFFER_TRY(CheckGenerations(writer));
    return CheckWholeTables(writer);
  }
  for (const auto& [table, format] : anchor_->formats) {
    const TableShape* const shape = ShapeOf(table);
    if (shape != nullptr && shape->table.format == format) taken_over_.insert(table);
  }
  for (const auto& [shard, generation] : anchor_->generations) {
    if (KnownGeneration(shard) >= generation) continue;
    to_recount_.insert(shard);
    const std::lock_guard lock(mutex_);
    generations_[shard] = generation;
  }
  return AcceptDamage(writer);
}

Status RowSums::RemoveUnsound(Connection& writer) {
  for (const auto& [shape, key] : to_remove_) {
    COFFER_ASSIGN(Statement remove, writer.Prepare(DeleteSql(*shape)));
    int next = 0;
    for (const Value& value : key) BindValue(remove, next++, value);
    COFFER_TRY(remove.Run());
  }
  return {};
}

// The sum over the rows as they are, above every generation that is known of the shard.
Status RowSums::Recount(Connection& writer, const Shard& shard) {
  COFFER_ASSIGN(SumRow row, SumOfRows(writer, shard));
  COFFER_ASSIGN(Statement forget, writer.Prepare("DELETE FROM store_sums "
                                                 "WHERE table_name = ? AND shard = ?"));
  COFFER_TRY(forget.Bind(0, shard.table).Bind(1, std::int64_t{shard.index}).Run());
  row.generation = KnownGeneration(shard) + 1;
  COFFER_TRY(WriteSum(writer, shard, row, 0));
  settled_[shard] = row.generation;
  return {};
}

// Gives every row of a table that no anchor covers yet its MAC, and the table its sums.
Status RowSums::TakeOver(Connection& writer, const TableShape& shape) {
  if (taken_over_.contains(std::string(shape.table.name))) return {};
  std::vector<Values> found;
  if (!shape.table.own_macs) {
    COFFER_ASSIGN(Statement select, writer.Prepare(SelectSql(shape, "")));
    while (true) {
      COFFER_ASSIGN(const bool more, select.Step());
      if (!more) break;
      found.push_back(ReadValues(select, shape));
    }
  }
  COFFER_ASSIGN(Statement update,
                writer.Prepare("UPDATE " + std::string(shape.table.name) +
                               " SET generation = ?, mac = ? WHERE " + KeyEquals(shape)));
  for (const Values& values : found) {
    constexpr std::int64_t kFirst = 1;
    const Code256 mac = RowMac(shape, values, kFirst);
    update.Bind(0, kFirst).Bind(1, ByteView(mac));
    for (std::size_t i = 0; i < shape.keys; ++i) {
      BindValue(update, static_cast<int>(i) + 2, values[i]);
    }
    COFFER_TRY(update.Run());
  }
  for (int i = 0; i < shape.table.shards; ++i) {
    COFFER_TRY(Recount(writer, {shape.table.name, i}));
  }
  return {};
}

}  // namespace coffer::storage
