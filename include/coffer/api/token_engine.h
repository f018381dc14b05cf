#pragma once

#include "coffer/api/registry.h"
#include "coffer/auth/token_role.h"
#include "coffer/auth/token_store.h"

namespace coffer::api {

// The parts that the engine of auth/token/ needs. The program's wiring owns them, and they outlive
// the Registry in which TokenEngine(parts) is registered. Its handlers run on any thread and answer
// errors to the client.
struct TokenParts {
  auth::TokenStore& tokens;
  const auth::PolicyStore& policies;
  auth::RoleStore& roles;
  const Clock& clock;
};

const EngineType& TokenEngineType();
Registration TokenEngine(TokenParts& parts);

}  // namespace coffer::api
