#pragma once

#include <memory>
#include <string_view>

#include "api/engine_type.h"
#include "coffer/base/result.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// The engine, the mount and the endpoint that a path leads to.
struct Target {
  const RegisteredEngine* engine = nullptr;
  std::shared_ptr<const mounts::Mount> mount;  // null: the engine is built in
  EndpointTable::Match match;
  bool at_root = false;  // the path is the engine's own, and nothing follows it
};

// kNoRoute if nothing is mounted there, kUnsupportedPath if the path belongs to an engine that this
// server does not have.
Result<Target> Route(const Registry& registry, const mounts::MountTable& mounts,
                     std::string_view path);
// Null if the endpoint does not have the verb.
const Operation* FindOperation(const Endpoint& endpoint, Verb verb);
// The capability that a caller must have for a path before it is told that the path or the verb is
// not served here. Requests that are served need Operation::capability.
Capability UsualCapability(Verb verb);

}  // namespace coffer::api
