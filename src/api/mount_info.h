#pragma once

#include <array>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/mounts/mount_table.h"
#include "field_decoder.h"
#include "json_writer.h"

namespace coffer::api {

// A mount that every server has and nobody can change. What a path means that answers nothing is
// not listed.
struct BuiltinMount {
  std::string_view path;
  std::string_view type;
  std::string_view description;
};

inline constexpr std::array<BuiltinMount, 1> kBuiltinMounts = {
    {{"sys/", "system", "system endpoints used for control, policy and debugging"}}};

// The members of a mount's description, into an object that is open.
void WriteMountInfo(const mounts::Mount& mount, JsonWriter& json);
void WriteMountInfo(const BuiltinMount& mount, JsonWriter& json);
void WriteTuning(const mounts::MountConfig& config, JsonWriter& json);

// What every mount has where it says nothing else.
inline constexpr std::int64_t kSystemLeaseTtlSeconds = std::int64_t{768} * 3600;

// The members of the map `settings` into `config`; those that are absent or say nothing stay.
// kInvalid for what this server does not have: nothing is dropped in silence.
Status ApplyTuning(const JsonValue& settings, mounts::MountConfig& config);
// The option of a transit mount that config/keys sets: encrypt makes no key where it is "true".
inline constexpr std::string_view kDisableUpsert = "disable_upsert";
bool UpsertDisabled(const mounts::MountConfig& config);
// `options` as decoded from a kKeyValues field; an empty value takes an option away.
Status ApplyOptions(const JsonValue& options, mounts::MountConfig& config);

}  // namespace coffer::api
