#pragma once

#include "coffer/api/registry.h"
#include "coffer/auth/token_store.h"

namespace coffer::api {

// What auth/token/ works on. It outlives the registration.
struct TokenParts {
  const auth::TokenStore& tokens;
};

const EngineType& TokenEngineType();
Registration TokenEngine(TokenParts& parts);

}  // namespace coffer::api
