#pragma once

#include <string>
#include <string_view>

#include "api/endpoint.h"
#include "coffer/api/transit_engine.h"

namespace coffer::api {

// The handlers of transit get the engine and the caller from these functions.

inline transit::Engine& EngineOf(const Call& call) { return call.engine.As<TransitParts>().engine; }

// The hash of RSA-OAEP that a request names.
inline Result<crypto::HashAlgorithm> HashOf(std::string_view name) {
  const auto hash = keyring::FindOaepHash(name);
  if (!hash) return Fail(Code::kInvalid, "unknown hash function: " + std::string(name));
  return *hash;
}

// Success where the server may make exportable keys and export them.
inline Status CheckKeyExport(const Call& call) {
  if (EngineOf(call).ExportsKeys()) return {};
  return Fail(Code::kInvalid, "exporting keys is disabled on this server (key_export = \"none\")");
}

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
