#pragma once

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token.h"
#include "coffer/storage/database.h"

namespace coffer::keyring {

// Derives the keys by which the rows of all rooms are authenticated from coffer-meta and the
// database's id (one token call), and joins them to the database. `random` outlives it.
Status AuthenticateRows(storage::Database& database, Token& token, coffer::Random& random,
                        const StartPolicy& policy);

}  // namespace coffer::keyring
