#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

// The caller of a look-up, which changes nothing and needs no actor.
inline transit::Caller ReaderOf(const Call& call) { return {call.mount->id, call.lane, {}}; }

// The caller of a request, with the mount whose keys it is for.
inline transit::Caller CallerOf(const Call& call) {
  transit::Caller caller = ReaderOf(call);
  caller.actor.name = call.token->display_name + " " + call.token->accessor;
  caller.actor.reason = "requested";
  return caller;
}

// Looks up the key that the request encrypts with, once for each request and thread: later calls
// return the same.
inline Result<transit::EncryptionTarget> TargetOf(const Call& call) {
  if (call.found != nullptr && *call.found) {
    return transit::EncryptionTarget{std::static_pointer_cast<const keyring::Key>(*call.found)};
  }
  COFFER_ASSIGN(auto target, EngineOf(call).FindTarget(ReaderOf(call), call.fields.Text("name")));
  if (call.found != nullptr) *call.found = target.key;
  return target;
}

// Returns what TargetOf() has found, and forgets it, for the encryption. Nothing if it was not
// called: the engine then looks the key up.
inline std::optional<transit::EncryptionTarget> TakeTarget(const Call& call) {
  if (call.found == nullptr || !*call.found) return std::nullopt;
  return transit::EncryptionTarget{
      std::static_pointer_cast<const keyring::Key>(std::exchange(*call.found, nullptr))};
}

}  // namespace coffer::api
