#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/keyring/key.h"

namespace coffer::api {

// The version that the path of an export asks for, "latest", "N" or "vN"; nothing for all that are
// not archived.
Result<std::optional<std::int64_t>> WantedVersion(const keyring::Key& key, std::string_view text);

}  // namespace coffer::api
