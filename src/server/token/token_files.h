#pragma once

#include <filesystem>

#include "coffer/base/logger.h"
#include "coffer/base/result.h"

namespace coffer::server {

// SoftHSM empties a token's own file before it writes it anew, at every login: if the process is
// killed between the two, the token and every key in it are lost. So a copy of the file is kept
// beside it, and put back where the file is empty. Call it before any login; the caller must hold
// the data directory's lock. `objects_directory` is SoftHSM's; nothing is done if it is empty or
// another token's.
Status KeepTokenFiles(const std::filesystem::path& objects_directory, Logger& logger);

}  // namespace coffer::server
