#pragma once

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "api/constant_document.h"
#include "api/endpoint.h"
#include "api/vault/system/remount_log.h"
#include "coffer/api/system_engine.h"

namespace coffer::api {

// The data of the engine of sys/.
struct SystemEngine::State {
  explicit State(SystemParts given) : parts(std::move(given)) {}

  const SystemParts parts;
  RemountLog remounts;
  std::once_flag described;
  std::optional<ConstantDocument> openapi;  // made at the first request for it
};

inline SystemEngine::State& SystemOf(const Call& call) {
  return call.engine.As<SystemEngine::State>();
}
inline const SystemParts& PartsOf(const Call& call) { return SystemOf(call).parts; }

// The endpoints of sys/, each in the file of its name.
void AddSystemEndpoints(std::vector<Endpoint>& table);
void AddAuditEndpoints(std::vector<Endpoint>& table);
void AddBackupEndpoints(std::vector<Endpoint>& table);
void AddBarrierEndpoints(std::vector<Endpoint>& table);
void AddCapabilityEndpoints(std::vector<Endpoint>& table);
void AddMetricsEndpoints(std::vector<Endpoint>& table);
void AddMountEndpoints(std::vector<Endpoint>& table);
void AddPolicyEndpoints(std::vector<Endpoint>& table);
void AddSpecsEndpoints(std::vector<Endpoint>& table);

}  // namespace coffer::api
