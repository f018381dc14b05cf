#pragma once

#include <memory>

#include "coffer/api/registry.h"
#include "coffer/auth/token_store.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// A wire contract that a service speaks. What it is made with outlives it.
class Face;

// The HTTP API of HashiCorp Vault, below /v1/.
std::shared_ptr<const Face> MakeVaultFace(const Registry& registry,
                                          const mounts::MountTable& mounts,
                                          const auth::TokenStore& tokens);

}  // namespace coffer::api
