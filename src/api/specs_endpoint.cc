#include "coffer/api/reference.h"
#include "constant_document.h"
#include "endpoint_table.h"

namespace coffer::api {
namespace {

Status ReadOpenApi(const Call&, Reply& reply) {
  static const ConstantDocument document(OpenApiDocument());
  reply.document = &document;
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
