#pragma once

// Authenticated tables: each row carries a MAC, and each shard of a table a sum over the MACs of
// its rows (docs/formats.md, "Authenticated rows"). So an edited or planted row is found when it is
// read, and a removed or replayed one by the next check of its shard. A store describes a table
// once, as a struct with its columns, and reads and writes rows through Table<Row>. Functions
// without any state of their own, on the thread of their transaction or reader. Errors: kCorrupt
// for a row that fails its check, kConflict, and those of the database.
// Example:
//   struct RoleRow {
//     static constexpr TableName kTable{"token_roles"};
//     std::string name;
//     std::vector<std::string> policies;
//     bool orphan = false;
//     template <typename Self, typename Visitor>
//     static void Columns(Self& row, Visitor& column) {
//       column.Key("name", row.name);
//       column("policies", row.policies);
//       column("orphan", row.orphan);
//     }
//   };
//   COFFER_TRY(Table<RoleRow>::Put(transaction, role));
//   COFFER_ASSIGN(const auto found, Table<RoleRow>::Find(reader, name));
// The migration makes the table with these columns, NOT NULL unless the member is a std::optional,
// and with two columns of the mechanism: `generation INTEGER NOT NULL, mac BLOB NOT NULL`. It names
// Table<Row>::Shape() in Migration::tables. Rules: no ON DELETE CASCADE into such a table and no
// other SQL that writes it, since the sums would miss it; a migration that changes its columns
// raises its format; a new table starts empty.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/clock.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"

namespace coffer::storage {

// A column's value as SQL has it.
using Value = std::variant<std::int64_t, std::string, Bytes, std::monostate>;
using Values = std::vector<Value>;

// The name of a table and how it is cut. A table of more than one shard has a first key column of
// random bytes, whose first byte chooses the shard; `shards` is a power of two up to 256. A table
// of one shard is checked whole at each start, so a table that can be large has more.
struct TableName {
  std::string_view name;
  int format = 1;  // the MACs cover it
  int shards = 1;
  bool own_macs = false;  // the room makes the MACs: Transaction::CountRow
};

// A table as its rows describe it.
struct TableShape {
  enum class Kind : std::uint8_t { kInteger, kText, kBlob };
  struct Column {
    std::string_view name;
    Kind kind = Kind::kInteger;
    bool key = false;
  };
  TableName table;
  std::vector<Column> columns;  // key columns first
  std::size_t keys = 0;         // key columns
};

// Lists stand in a text column as netstrings ("5:hello,3:abc,"), which SQL can make and people can
// read.
std::string ToNetstrings(std::span<const std::string> items);
std::optional<std::vector<std::string>> FromNetstrings(std::string_view text);

// The values that a member of a row may have. A further type needs a pair of functions here.
template <typename T>
requires(std::integral<T> || std::is_enum_v<T>) Value ToValue(T value) {
  return static_cast<std::int64_t>(value);
}
inline Value ToValue(std::string_view text) { return std::string(text); }
inline Value ToValue(const std::string& text) { return text; }
inline Value ToValue(const Bytes& bytes) { return bytes; }
inline Value ToValue(const Id& id) { return Bytes(id.octets.begin(), id.octets.end()); }
inline Value ToValue(SystemTime time) { return UnixNanoseconds(time); }
template <std::size_t N>
Value ToValue(const std::array<std::uint8_t, N>& bytes) {
  return Bytes(bytes.begin(), bytes.end());
}
inline Value ToValue(const std::vector<std::string>& list) { return ToNetstrings(list); }

template <typename T>
Value ToValue(const std::optional<T>& value) {
  return value ? ToValue(*value) : Value(std::monostate());
}

// False where the value is none of the type's.
template <typename T>
requires(std::integral<T> || std::is_enum_v<T>) bool FromValue(Value& value, T& out) {
  const auto* const number = std::get_if<std::int64_t>(&value);
  if (number == nullptr) return false;
  if constexpr (std::same_as<T, bool>) {
    out = *number != 0;
    return *number == 0 || *number == 1;
  } else if constexpr (std::is_enum_v<T>) {
    out = static_cast<T>(*number);
    return std::in_range<std::underlying_type_t<T>>(*number);
  } else {
    out = static_cast<T>(*number);
    return std::in_range<T>(*number);
  }
}
inline bool FromValue(Value& value, std::string& out) {
  auto* const text = std::get_if<std::string>(&value);
  if (text != nullptr) out = std::move(*text);
  return text != nullptr;
}
inline bool FromValue(Value& value, Bytes& out) {
  auto* const bytes = std::get_if<Bytes>(&value);
  if (bytes != nullptr) out = std::move(*bytes);
  return bytes != nullptr;
}
inline bool FromValue(Value& value, SystemTime& out) {
  const auto* const nanoseconds = std::get_if<std::int64_t>(&value);
  if (nanoseconds != nullptr) out = FromUnixNanoseconds(*nanoseconds);
  return nanoseconds != nullptr;
}
template <std::size_t N>
bool FromValue(Value& value, std::array<std::uint8_t, N>& out) {
  const auto* const bytes = std::get_if<Bytes>(&value);
  if (bytes == nullptr || bytes->size() != N) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}
inline bool FromValue(Value& value, Id& out) { return FromValue(value, out.octets); }
inline bool FromValue(Value& value, std::vector<std::string>& out) {
  const auto* const text = std::get_if<std::string>(&value);
  auto list = text == nullptr ? std::nullopt : FromNetstrings(*text);
  if (list) out = std::move(*list);
  return list.has_value();
}
template <typename T>
bool FromValue(Value& value, std::optional<T>& out) {
  if (std::holds_alternative<std::monostate>(value)) {
    out.reset();
    return true;
  }
  return FromValue(value, out.emplace());
}

class RowSums;

// The snapshot that rows are read from: a reader's, or an open transaction's. It lives as long as
// the Reader or Transaction that it was made from.
class RowSource {
 public:
  RowSource(Reader& reader);            // NOLINT(google-explicit-constructor): both are sources
  RowSource(Transaction& transaction);  // NOLINT(google-explicit-constructor)

  // For the functions below.
  Connection& In() const { return *connection_; }
  RowSums& Sums() const;
  bool InTransaction() const { return in_transaction_; }
  Result<Reader> Anew() const;  // the latest snapshot

 private:
  Connection* connection_;
  Database::Impl* database_;
  bool in_transaction_;
};

// The functions under Table<Row>, for rows without a type. A row that is returned has passed its
// check; one that does not is kCorrupt: "a row of <table> failed its check".
namespace rows {

struct Stored {
  Values values;
  std::int64_t generation = 0;
};
// The rows to select: where `column` equals the value; or those after a key, in the key's order.
struct Selection {
  std::string_view column;  // empty: all
  std::optional<Value> equal;
  Values after;            // key columns
  std::int64_t limit = 0;  // 0: no limit
};

Result<std::optional<Stored>> Find(RowSource source, const TableShape& shape,
                                   std::span<const Value> key);
// In the key's order. An error of `visit` ends it.
Status Select(RowSource source, const TableShape& shape, const Selection& selection,
              const std::function<Status(Stored&)>& visit);
Status Insert(Transaction& transaction, const TableShape& shape, std::span<const Value> values);
// `expected`: the generation that the caller has read; kConflict where the row has another.
// kNotFound where there is no row.
Status Update(Transaction& transaction, const TableShape& shape, std::span<const Value> values,
              std::optional<std::int64_t> expected);
Status Put(Transaction& transaction, const TableShape& shape, std::span<const Value> values);
Result<bool> Remove(Transaction& transaction, const TableShape& shape, std::span<const Value> key);
Error Unreadable(const TableShape& shape);

}  // namespace rows

// A row and its generation, which each change raises.
template <typename Row>
struct StoredRow {
  Row row;
  std::int64_t generation = 0;
};

// The rows of one table, by the struct that describes it. Stateless; each call runs inside the
// transaction or reader given. Errors: those of Statement, and kCorrupt for a row that fails its
// check.
template <typename Row>
class Table {
 public:
  using Stored = StoredRow<Row>;

  static const TableShape& Shape() {
    static const TableShape shape = MakeShape();
    return shape;
  }

  // The row with this key, column by column.
  template <typename... Key>
  static Result<std::optional<Stored>> Find(RowSource source, const Key&... key) {
    const Values values{ToValue(key)...};
    COFFER_ASSIGN(auto found, rows::Find(source, Shape(), values));
    if (!found) return std::optional<Stored>{};
    COFFER_ASSIGN(Stored stored, Unpack(*found));
    return std::optional(std::move(stored));
  }
  // All rows, in the key's order.
  static Result<std::vector<Stored>> All(RowSource source) { return Collect(source, {}); }
  // The rows whose column has this value; the column should have an index.
  template <typename T>
  static Result<std::vector<Stored>> By(RowSource source, std::string_view column, const T& value) {
    return Collect(source, {.column = column, .equal = ToValue(value), .after = {}, .limit = 0});
  }
  // At most `limit` rows behind `key`, in its order.
  template <typename... Key>
  static Result<std::vector<Stored>> After(RowSource source, std::int64_t limit,
                                           const Key&... key) {
    return Collect(source, {.column = {}, .equal = {}, .after = {ToValue(key)...}, .limit = limit});
  }

  // kConflict where there is a row with this key, or a unique column's value is taken.
  static Status Insert(Transaction& transaction, const Row& row) {
    return rows::Insert(transaction, Shape(), Pack(row));
  }
  // Writes back a row that was read before: kConflict if it was changed or removed since.
  static Status Update(Transaction& transaction, const Stored& stored) {
    return rows::Update(transaction, Shape(), Pack(stored.row), stored.generation);
  }
  // Inserts the row, or puts it in the place of the one with its key.
  static Status Put(Transaction& transaction, const Row& row) {
    return rows::Put(transaction, Shape(), Pack(row));
  }
  // False where there was none.
  template <typename... Key>
  static Result<bool> Remove(Transaction& transaction, const Key&... key) {
    const Values values{ToValue(key)...};
    return rows::Remove(transaction, Shape(), values);
  }

  static Values Pack(const Row& row) {
    Packer packer;
    Row::Columns(row, packer);
    return std::move(packer.values);
  }

 private:
  struct Packer {
    template <typename T>
    void Key(std::string_view, const T& value) {
      values.push_back(ToValue(value));
    }
    template <typename T>
    void operator()(std::string_view, const T& value) {
      values.push_back(ToValue(value));
    }
    Values values;
  };
  struct Unpacker {
    template <typename T>
    void Key(std::string_view, T& value) {
      (*this)({}, value);
    }
    template <typename T>
    void operator()(std::string_view, T& value) {
      good = FromValue(values[next++], value) && good;
    }
    Values& values;
    std::size_t next = 0;
    bool good = true;
  };
  struct Describer {
    template <typename T>
    void Key(std::string_view name, const T& value) {
      shape.columns.push_back({name, KindOf(value), true});
      shape.keys = shape.columns.size();
    }
    template <typename T>
    void operator()(std::string_view name, const T& value) {
      shape.columns.push_back({name, KindOf(value), false});
    }
    template <typename T>
    static TableShape::Kind KindOf(const T& value) {
      return static_cast<TableShape::Kind>(ToValue(value).index());
    }
    template <typename T>
    static TableShape::Kind KindOf(const std::optional<T>&) {
      return KindOf(T{});
    }
    TableShape& shape;
  };

  static TableShape MakeShape() {
    TableShape shape;
    shape.table = Row::kTable;
    Describer describer{shape};
    const Row row{};
    Row::Columns(row, describer);
    return shape;
  }
  static Result<Stored> Unpack(rows::Stored& stored) {
    Stored out{Row{}, stored.generation};
    Unpacker unpacker{stored.values};
    Row::Columns(out.row, unpacker);
    if (!unpacker.good) return Fail(rows::Unreadable(Shape()));
    return out;
  }
  static Result<std::vector<Stored>> Collect(RowSource source, const rows::Selection& selection) {
    std::vector<Stored> found;
    COFFER_TRY(rows::Select(source, Shape(), selection, [&](rows::Stored& stored) -> Status {
      COFFER_ASSIGN(Stored row, Unpack(stored));
      found.push_back(std::move(row));
      return {};
    }));
    return found;
  }
};

}  // namespace coffer::storage
