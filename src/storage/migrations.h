#pragma once

#include <span>
#include <string>

#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"
#include "storage/connection.h"

namespace coffer::storage {

// Brings the schema up to `migrations`: see Migration. kCorrupt where it is not what its applied
// steps make (schema_check.h): a planted trigger must not run. Writes nothing where nothing is
// pending, so that a server starts on a full disk.
Status Migrate(Connection& writer, std::span<const Migration> migrations, Logger& logger);

// True where the table of applied steps is there.
Result<bool> HasMigrations(Connection& connection);

// The newest applied step of each room: "audit 1, keyring 1".
Result<std::string> AppliedSteps(Connection& connection);

}  // namespace coffer::storage
