#include "server/engines.h"

#include <utility>

#include "coffer/api/token_engine.h"
#include "coffer/api/transit_engine.h"

namespace coffer::server {

struct Engines::Impl {
  Impl(const api::SystemParts& system_parts, storage::Database& database,
       transit::Engine& transit_engine)
      : system(system_parts),
        roles(database),
        token{system_parts.tokens, system_parts.policies, roles, system_parts.clock},
        transit{transit_engine, system_parts.mounts} {}

  const api::SystemEngine system;
  auth::RoleStore roles;
  api::TokenParts token;
  api::TransitParts transit;
  std::unique_ptr<const api::Registry> registry;
};

Engines::Engines(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engines::~Engines() = default;

Result<std::unique_ptr<Engines>> Engines::Make(const api::SystemParts& system,
                                               storage::Database& database,
                                               transit::Engine& transit) {
  auto impl = std::make_unique<Impl>(system, database, transit);
  COFFER_ASSIGN(impl->registry,
                api::Registry::Make({impl->system.Registered(), api::TokenEngine(impl->token),
                                     api::TransitEngine(impl->transit)}));
  return std::unique_ptr<Engines>(new Engines(std::move(impl)));
}

const api::Registry& Engines::All() const { return *impl_->registry; }

}  // namespace coffer::server
