#pragma once

#include <string_view>

#include "api/engine_type.h"
#include "api/field_decoder.h"
#include "api/json_writer.h"
#include "coffer/base/result.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// Writes the members of the description of a mount into an object that is open.
void WriteMountInfo(const mounts::Mount& mount, JsonWriter& json);
void WriteMountInfo(const EngineType& built_in, JsonWriter& json);
void WriteTuning(const mounts::MountConfig& config, JsonWriter& json);

// The lease time of every mount that has none of its own.
inline constexpr std::int64_t kSystemLeaseTtlSeconds = std::int64_t{768} * 3600;

// Sets the members of the map `settings` in the `config` of a mount whose engine is called `type`;
// settings that are absent or empty stay as they are. kInvalid for a setting that this server does
// not have: none is ignored silently.
Status ApplyTuning(const JsonValue& settings, std::string_view type, mounts::MountConfig& config);
// Sets the options in `options`, which was decoded from a kKeyValues field; an empty value removes
// an option.
Status ApplyOptions(const JsonValue& options, std::string_view type, mounts::MountConfig& config);

}  // namespace coffer::api
