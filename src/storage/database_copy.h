#pragma once

#include <filesystem>

#include "coffer/base/result.h"
#include "coffer/storage/database.h"
#include "storage/connection.h"

namespace coffer::storage {

// See Reader::CopyTo. `source` is in a transaction.
Status CopySnapshot(Connection& source, const std::filesystem::path& file,
                    const CopyProgress& progress);

}  // namespace coffer::storage
