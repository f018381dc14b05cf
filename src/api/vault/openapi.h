#pragma once

#include "api/engine_type.h"
#include "api/json_writer.h"

namespace coffer::api {

// The OpenAPI path item of one endpoint: parameters and operations.
void WritePathItem(const Endpoint& endpoint, const RegisteredEngine& engine, JsonWriter& json);

// The path of an endpoint with its captures in braces, after the prefix of its engine:
// "/sys/mounts/{path}".
std::string OpenApiPath(const Endpoint& endpoint, const RegisteredEngine& engine);

// The parameters of a pattern's captures, in order.
std::vector<std::string_view> CapturesOf(const Endpoint& endpoint);

}  // namespace coffer::api
