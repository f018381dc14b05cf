#include <utility>

#include "api/engine_type.h"
#include "api/vault/system/system_call.h"

namespace coffer::api {
namespace {

std::vector<Endpoint> SystemEndpoints() {
  std::vector<Endpoint> endpoints;
  AddSystemEndpoints(endpoints);
  AddMountEndpoints(endpoints);
  AddAuditEndpoints(endpoints);
  AddBackupEndpoints(endpoints);
  AddBarrierEndpoints(endpoints);
  AddMetricsEndpoints(endpoints);
  AddSpecsEndpoints(endpoints);
  AddPolicyEndpoints(endpoints);
  AddCapabilityEndpoints(endpoints);
  return endpoints;
}

std::vector<storage::Migration> Schema() {
  std::vector<storage::Migration> schema = mounts::MountTable::Schema();
  const auto devices = audit::Broker::Schema();
  schema.insert(schema.end(), devices.begin(), devices.end());
  return schema;
}

}  // namespace

const EngineType& SystemEngineType() {
  static constexpr EngineType kType{
      .name = "system",
      .title = "System",
      .description = "system endpoints used for control, policy and debugging",
      .place = MountPlace::kBuiltIn,
      .path = "sys/",
      .endpoints = SystemEndpoints,
      .schema = Schema,
      .check_captures = CheckNames};
  return kType;
}

SystemEngine::SystemEngine(SystemParts parts) : state_(std::make_unique<State>(std::move(parts))) {}
SystemEngine::~SystemEngine() = default;

Registration SystemEngine::Registered() const {
  return {&SystemEngineType(), EngineState::Of(*state_)};
}

}  // namespace coffer::api
