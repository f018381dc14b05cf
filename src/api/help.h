#pragma once

#include "constant_document.h"
#include "endpoint_table.h"

namespace coffer::api {

// {"help", "see_also", "openapi"}, written once from the endpoint's declaration. The endpoint is
// one of a table.
const ConstantDocument& HelpOf(const Endpoint& endpoint);
// The same for an engine as a whole: its paths, each with its sentence.
const ConstantDocument& EngineHelpOf(EngineKind engine);

}  // namespace coffer::api
