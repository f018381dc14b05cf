#pragma once

#include <string>

#include "coffer/storage/table.h"

namespace coffer::storage {

// The SQL text of an authenticated table. Parameters and columns come in the order of the shape;
// then generation and MAC.
std::string SelectSql(const TableShape& shape, const std::string& where);
std::string KeyOrder(const TableShape& shape);  // "a, b"
// "a = ? AND b = ?"; "(a, b) > (?, ?)"
std::string KeyEquals(const TableShape& shape);
std::string KeyAfter(const TableShape& shape);
std::string InsertSql(const TableShape& shape);
// The other columns, generation and MAC; then the key and the former generation.
std::string UpdateSql(const TableShape& shape);
std::string DeleteSql(const TableShape& shape);
// The MACs of one shard's rows; false in `upper` where it has no upper bound.
std::string ShardSql(const TableShape& shape, const std::string& columns, bool upper);

void BindValue(Statement& statement, int index, const Value& value);
// The columns of the shape in the statement's present row.
Values ReadValues(const Statement& row, const TableShape& shape);
// Binds the bounds of a shard for ShardSql().
bool HasUpperBound(const TableShape& shape, int shard);
void BindShard(Statement& statement, const TableShape& shape, int shard);
int ShardOf(const TableShape& shape, ByteView key);

}  // namespace coffer::storage
