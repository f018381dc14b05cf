#pragma once

#include "endpoint_table.h"

namespace coffer::api {

// {"help", "see_also", "openapi"}, written from the endpoint's declaration.
void WriteHelp(const Endpoint& endpoint, EngineKind engine, JsonWriter& json);
// The same for an engine as a whole: its paths, each with its sentence.
void WriteEngineHelp(EngineKind engine, JsonWriter& json);

}  // namespace coffer::api
