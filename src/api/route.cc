#include "api/route.h"

#include <algorithm>
#include <string>
#include <utility>

namespace coffer::api {

Result<Target> Route(const Registry& registry, const mounts::MountTable& mounts,
                     std::string_view path) {
  Target target;
  std::string_view rest;
  target.engine = registry.BuiltInAt(path);
  if (target.engine != nullptr) {
    rest = path.substr(target.engine->Type().path.size());
  } else if (KeptForLater(path)) {
    return Fail(Refusal::kUnsupportedPath);
  } else if (auto route = mounts.Find(path)) {
    target.engine = registry.EngineOf(*route->mount);
    target.mount = std::move(route->mount);
    rest = route->rest;
  }
  if (target.engine == nullptr) {
    return Fail(Refusal::kNoRoute, {.name = std::string(path)});
  }
  target.match = target.engine->Table().Find(rest);
  target.at_root = rest.empty();
  return target;
}

const Operation* FindOperation(const Endpoint& endpoint, Verb verb) {
  const auto found =
      std::find_if(endpoint.operations.begin(), endpoint.operations.end(),
                   [&](const Operation& operation) { return operation.verb == verb; });
  return found == endpoint.operations.end() ? nullptr : &*found;
}

Capability UsualCapability(Verb verb) {
  switch (verb) {
    case Verb::kRead:
      return Capability::kRead;
    case Verb::kWrite:
      return Capability::kUpdate;
    case Verb::kPatch:
      return Capability::kPatch;
    case Verb::kDelete:
      return Capability::kDelete;
    case Verb::kList:
      return Capability::kList;
    case Verb::kScan:
      break;
  }
  return Capability::kScan;
}

}  // namespace coffer::api
