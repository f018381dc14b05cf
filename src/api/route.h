#pragma once

#include <memory>
#include <string_view>

#include "api/engine_type.h"
#include "coffer/base/result.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// Where a path leads.
struct Target {
  const RegisteredEngine* engine = nullptr;
  std::shared_ptr<const mounts::Mount> mount;  // null: the engine is built in
  EndpointTable::Match match;
  bool at_root = false;  // nothing behind the engine's own path
};

// kNoRoute where nothing is mounted there, kUnsupportedPath where there never will be.
Result<Target> Route(const Registry& registry, const mounts::MountTable& mounts,
                     std::string_view path);
// Nothing where the endpoint does not know the verb.
const Operation* FindOperation(const Endpoint& endpoint, Verb verb);
// What a verb needs where no endpoint says it.
Capability UsualCapability(Verb verb);

}  // namespace coffer::api
