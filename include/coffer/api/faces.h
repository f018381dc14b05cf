#pragma once

#include <memory>

#include "coffer/api/registry.h"
#include "coffer/auth/token_store.h"
#include "coffer/mounts/mount_table.h"

namespace coffer::api {

// A wire contract that a Service speaks. It is shared by those that use it; the registry, the
// mounts and the tokens that it was made with outlive it. Immutable, for any thread; making one has
// no errors.
class Face;

// The HTTP API of HashiCorp Vault, below /v1/.
std::shared_ptr<const Face> MakeVaultFace(const Registry& registry,
                                          const mounts::MountTable& mounts,
                                          const auth::TokenStore& tokens);

}  // namespace coffer::api
