#pragma once

#include <span>

#include "coffer/storage/database.h"
#include "storage/connection.h"

namespace coffer::storage {

// kCorrupt where the schema is not what the applied steps of `migrations` make, and nothing more: a
// trigger, view, index, table or column that was added or changed.
Status CompareSchema(Connection& connection, std::span<const Migration> migrations);
// SQLite's own counter of changes of the schema. A connection reads the schema anew only where this
// number has changed, so a planted trigger does nothing before.
Result<std::int64_t> SchemaNumber(Connection& connection);

}  // namespace coffer::storage
