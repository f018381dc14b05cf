#pragma once

#include <filesystem>

#include "coffer/base/result.h"

namespace coffer::storage {

// Carries out a replacement that was decided: where FILE.incoming is there. See
// database_replacement.h.
Status FinishReplacement(const std::filesystem::path& file);

}  // namespace coffer::storage
