#pragma once

#include <filesystem>

#include "coffer/base/result.h"

namespace coffer::storage {

// Checks that no FILE.replaced is in the way of ReplaceDatabase(); kConflict if one is.
Status CheckReplaceable(const std::filesystem::path& file);
// Puts the database file `fresh` (closed, without a log, in the same directory) in the place of
// `file`, whatever state that is in; it is kept as FILE.replaced, with its log. Cut off at any
// moment, the next Database::Open() of `file` finds the former database or the new one, each whole.
// No other process may have `file` open, so the caller must hold the directory's lock.
Status ReplaceDatabase(const std::filesystem::path& file, const std::filesystem::path& fresh);

// The file and what SQLite keeps beside it; no error where there is none.
void RemoveDatabaseFiles(const std::filesystem::path& file);

}  // namespace coffer::storage
