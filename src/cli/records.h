#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::cli {

// The records of a file: the elements of a JSON array (the file's, or the first one in its object),
// else its lines. At most 64 MiB; empty lines are no records.
Result<std::vector<std::string>> ReadRecords(const std::filesystem::path& file);

// How many of `needles` stand in some file below `directory`.
Result<std::size_t> CountFound(const std::filesystem::path& directory,
                               const std::vector<std::string>& needles);

}  // namespace coffer::cli
