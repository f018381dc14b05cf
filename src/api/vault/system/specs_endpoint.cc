#include "api/vault/system/system_call.h"
#include "coffer/api/reference.h"

namespace coffer::api {
namespace {

Status ReadOpenApi(const Call& call, Reply& reply) {
  SystemEngine::State& system = SystemOf(call);
  std::call_once(system.described, [&] { system.openapi.emplace(OpenApiDocument(call.registry)); });
  reply.document = &*system.openapi;
  return {};
}

}  // namespace

void AddSpecsEndpoints(std::vector<Endpoint>& table) {
  Endpoint openapi{
      "internal/specs/openapi", "This API as an OpenAPI document.", {}, {}, true, true};
  openapi.fields = {{"generic_mount_paths", FieldType::kBool, "true",
                     "Kept for clients: mounts are always shown as a parameter."}};
  openapi.operations = {{Verb::kRead, Capability::kRead, ReadOpenApi}};
  table.push_back(std::move(openapi));
}

}  // namespace coffer::api
