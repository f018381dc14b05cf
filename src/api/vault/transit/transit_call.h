#pragma once

#include "api/endpoint.h"
#include "coffer/api/transit_engine.h"

namespace coffer::api {

// The handlers of transit get the engine and the caller from these functions.

inline transit::Engine& EngineOf(const Call& call) { return call.engine.As<TransitParts>().engine; }

// The caller of a request, with the mount whose keys it is for.
inline transit::Caller CallerOf(const Call& call) {
  transit::Caller caller;
  caller.mount = call.mount->id;
  caller.worker = call.worker;
  caller.actor.name = call.token->display_name + " " + call.token->accessor;
  caller.actor.reason = "requested";
  return caller;
}

}  // namespace coffer::api
