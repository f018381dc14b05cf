// The engines and auth methods that this program has.

#include <array>
#include <memory>

#include "api/engine_type.h"
#include "coffer/api/system_engine.h"
#include "coffer/api/token_engine.h"
#include "coffer/api/transit_engine.h"

namespace coffer::api {
namespace {

const std::vector<const EngineType*>& Types() {
  static const std::vector<const EngineType*> types{&SystemEngineType(), &TokenEngineType(),
                                                    &TransitEngineType()};
  return types;
}

}  // namespace

const Registry& EnginesOfProgram() {
  static const std::unique_ptr<const Registry> registry = [] {
    std::vector<Registration> engines;
    for (const EngineType* const type : Types()) engines.push_back({type, {}});
    return Registry::Make(engines).value();  // a unit test makes it, so it can be made
  }();
  return *registry;
}

std::vector<storage::Migration> Schemas() {
  std::vector<storage::Migration> schemas;
  for (const EngineType* const type : Types()) {
    if (type->schema == nullptr) continue;
    const auto schema = type->schema();
    schemas.insert(schemas.end(), schema.begin(), schema.end());
  }
  return schemas;
}

std::vector<std::string> ReservedPaths() {
  std::vector<std::string> paths = PathsOfNoEngine();
  for (const EngineType* const type : Types()) {
    if (type->place == MountPlace::kBuiltIn) paths.emplace_back(type->path);
  }
  return paths;
}

}  // namespace coffer::api
