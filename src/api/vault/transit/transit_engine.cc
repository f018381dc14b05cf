#include "coffer/api/transit_engine.h"
#include "api/engine_type.h"
#include "api/vault/transit/transit_endpoints.h"

namespace coffer::api {
namespace {

std::vector<Endpoint> Endpoints() {
  std::vector<Endpoint> endpoints;
  AddTransitCipherEndpoints(endpoints);
  AddTransitSignEndpoints(endpoints);
  AddTransitMacEndpoints(endpoints);
  AddTransitKeyEndpoints(endpoints);
  AddTransitInspectEndpoints(endpoints);
  AddTransitImportEndpoints(endpoints);
  AddTransitExportEndpoints(endpoints);
  AddTransitByokEndpoints(endpoints);
  AddTransitCertificateEndpoints(endpoints);
  AddTransitDeriveKeyEndpoints(endpoints);
  AddTransitBackupEndpoints(endpoints);
  AddTransitConfigEndpoints(endpoints);
  AddTransitCsrEndpoints(endpoints);
  AddTransitKeylessEndpoints(endpoints);
  return endpoints;
}

Status DeleteKeys(EngineState engine, const mounts::Mount& mount) {
  return engine.As<TransitParts>().engine.DeleteMount(mount.id);
}

}  // namespace

const EngineType& TransitEngineType() {
  static constexpr EngineType kType{.name = "transit",
                                    .title = "Transit",
                                    .place = MountPlace::kSecret,
                                    .path = "transit/",
                                    .endpoints = Endpoints,
                                    .schema = keyring::KeyRing::Schema,
                                    .end_of_mount = DeleteKeys,
                                    .check_captures = CheckNames,
                                    .has_keys = true};
  return kType;
}

Registration TransitEngine(TransitParts& parts) {
  return {&TransitEngineType(), EngineState::Of(parts)};
}

}  // namespace coffer::api
