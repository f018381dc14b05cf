#pragma once

#include "coffer/api/registry.h"

namespace coffer::api {

// auth/token/: what the calling token is. It works on nothing but the request.
const EngineType& TokenEngineType();
inline Registration TokenEngine() { return {&TokenEngineType(), {}}; }

}  // namespace coffer::api
