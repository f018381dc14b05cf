#pragma once

#include <filesystem>

#include "coffer/base/result.h"

namespace coffer::storage {

// Makes the database file where it is missing, and gives it and its -wal and -shm the mode 0600
// whatever the umask. SQLite makes a -wal or -shm with the mode of the file beside it. Call it
// before the first connection of the process to this file.
Status PrepareDatabaseFile(const std::filesystem::path& file);

}  // namespace coffer::storage
