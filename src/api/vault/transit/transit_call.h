#pragma once

#include "api/endpoint.h"
#include "coffer/api/transit_engine.h"

namespace coffer::api {

// What transit's handlers work on.

inline transit::Engine& EngineOf(const Call& call) { return call.engine.As<TransitParts>().engine; }

// Who asks, and for which mount's keys.
inline transit::Caller CallerOf(const Call& call) {
  transit::Caller caller;
  caller.mount = call.mount->id;
  caller.worker = call.worker;
  caller.actor.name = call.token->display_name + " " + call.token->accessor;
  caller.actor.reason = "requested";
  return caller;
}

}  // namespace coffer::api
