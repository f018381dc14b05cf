#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/keyring/key.h"

namespace coffer::api {

// The version in the path of an export: "latest", "N" or "vN". Nothing if the path has none: then
// all versions from min_decryption_version on are exported.
Result<std::optional<std::int64_t>> WantedVersion(const keyring::Key& key, std::string_view text);

}  // namespace coffer::api
