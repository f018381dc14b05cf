#pragma once

#include <vector>

#include "coffer/base/result.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token.h"
#include "coffer/storage/database.h"
#include "keyring/catalog.h"

namespace coffer::keyring {

// The parts of a restored database that cannot be used: keys whose rows fail their check, versions
// that no master opens, resident versions without their object.
Result<std::vector<UnusableVersion>> FindUnusable(Token& token, storage::Database& database,
                                                  const Catalog& catalog);

}  // namespace coffer::keyring
