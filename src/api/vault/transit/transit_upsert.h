#pragma once

#include <algorithm>
#include <string_view>

#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// The option of a transit mount that config/keys sets: encrypt makes no key where it is "true".
inline constexpr std::string_view kDisableUpsert = "disable_upsert";

inline bool UpsertDisabled(const mounts::MountConfig& config) {
  return std::ranges::any_of(config.options, [](const auto& option) {
    return option.first == kDisableUpsert && option.second == "true";
  });
}

}  // namespace coffer::api
