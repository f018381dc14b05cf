#pragma once

#include <filesystem>

#include "coffer/base/logger.h"
#include "coffer/base/result.h"

namespace coffer::server {

// SoftHSM empties a token's own file before it writes it anew, at every login: who is killed
// between the two has lost the token and every key in it. So a copy of the file is kept beside it,
// and put back where the file is empty. Before anybody logs in; the caller holds the data
// directory's lock. `objects_directory` is SoftHSM's; empty, or another token's: nothing is done.
Status KeepTokenFiles(const std::filesystem::path& objects_directory, Logger& logger);

}  // namespace coffer::server
