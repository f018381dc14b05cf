#pragma once

#include <filesystem>
#include <string>

#include "coffer/base/result.h"

namespace coffer::storage {

// Makes the database file where it is missing, and gives it and its -wal and -shm the mode 0600
// whatever the umask. SQLite makes a -wal or -shm with the mode of the file beside it. Call it
// before the first connection of the process to this file.
Status PrepareDatabaseFile(const std::filesystem::path& file);

// A new, empty file of mode 0600; kConflict where there is anything of this name.
Status MakeNewFile(const std::filesystem::path& file);
// Brings a file's content, or a directory's entries, to the disk.
Status SyncPath(const std::filesystem::path& path);

// "failed to <doing>: <why>" from errno; kUnavailable where the disk is full.
tl::unexpected<Error> FailWithErrno(const std::string& doing);

}  // namespace coffer::storage
