#include "route.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace coffer::api {

std::string_view PathOf(const http::Request& request) {
  std::string_view path = request.path;
  if (!path.starts_with(kApiPrefix)) return {};
  path.remove_prefix(kApiPrefix.size());
  return path;
}

Result<Target> Route(const mounts::MountTable& mounts, std::string_view path) {
  Target target;
  const auto rest_behind = [&](std::string_view prefix) -> std::optional<std::string_view> {
    if (!path.starts_with(prefix)) return std::nullopt;
    return path.substr(prefix.size());
  };
  std::string_view rest;
  if (const auto system = rest_behind("sys/")) {
    rest = *system;
  } else if (const auto token = rest_behind("auth/token/")) {
    target.engine = EngineKind::kToken;
    rest = *token;
  } else if (path.starts_with("identity/") || path.starts_with("cubbyhole/")) {
    return Fail(Refusal::kUnsupportedPath);
  } else if (auto route = mounts.Find(path)) {
    target.engine = EngineKind::kTransit;
    target.mount = std::move(route->mount);
    rest = route->rest;
  } else {
    return Fail(Refusal::kNoRoute, {.name = std::string(path)});
  }
  target.match = TableOf(target.engine).Find(rest);
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
