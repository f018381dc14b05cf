#pragma once

#include <sqlite3.h>

#include <string_view>

#include "coffer/base/error.h"

namespace coffer::storage {

// The one place that turns a SQLite result into our error. `code` may be an extended code;
// `connection` (may be null) gives the log text and, for an I/O error, its errno. Call it before
// anything else runs on the connection.
Error FromSql(int code, ::sqlite3* connection, std::string_view doing);

// True if a COMMIT that ended with `code` may yet be found in the log after a crash.
bool CommitOutcomeUnknown(int code);

}  // namespace coffer::storage
