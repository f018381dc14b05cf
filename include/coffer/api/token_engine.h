#pragma once

// The engine of auth/token/: making, looking up, renewing and revoking API tokens, and their roles.
// The program's wiring owns the TokenParts, which outlive the Registry that TokenEngine(parts) is
// registered in. Its handlers run on any thread. Errors are those of the parts; they are answered
// to the client.
// Example: `registrations.push_back(TokenEngine(parts));`

#include "coffer/api/registry.h"
#include "coffer/auth/token_role.h"
#include "coffer/auth/token_store.h"

namespace coffer::api {

// The parts that the engine works on.
struct TokenParts {
  auth::TokenStore& tokens;
  const auth::PolicyStore& policies;
  auth::RoleStore& roles;
  const Clock& clock;
};

const EngineType& TokenEngineType();
Registration TokenEngine(TokenParts& parts);

}  // namespace coffer::api
