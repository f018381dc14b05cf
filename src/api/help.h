#pragma once

#include "endpoint_table.h"

namespace coffer::api {

// {"help", "see_also", "openapi"}, written from the endpoint's declaration.
void WriteHelp(const Endpoint& endpoint, JsonWriter& json);

}  // namespace coffer::api
