#pragma once

#include <string_view>

#include "api/engine_type.h"
#include "api/field_decoder.h"
#include "api/json_writer.h"
#include "coffer/base/result.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// The members of a mount's description, into an object that is open.
void WriteMountInfo(const mounts::Mount& mount, JsonWriter& json);
void WriteMountInfo(const EngineType& built_in, JsonWriter& json);
void WriteTuning(const mounts::MountConfig& config, JsonWriter& json);

// What every mount has where it says nothing else.
inline constexpr std::int64_t kSystemLeaseTtlSeconds = std::int64_t{768} * 3600;

// The members of the map `settings` into the `config` of a mount of an engine called `type`; those
// that are absent or say nothing stay. kInvalid for what this server does not have: nothing is
// dropped in silence.
Status ApplyTuning(const JsonValue& settings, std::string_view type, mounts::MountConfig& config);
// `options` as decoded from a kKeyValues field; an empty value takes an option away.
Status ApplyOptions(const JsonValue& options, std::string_view type, mounts::MountConfig& config);

}  // namespace coffer::api
