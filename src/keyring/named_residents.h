#pragma once

#include <functional>
#include <memory>
#include <set>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/keyring/key.h"
#include "coffer/storage/database.h"
#include "keyring/keyring_store.h"

namespace coffer::keyring {

// The CKA_IDs of all token objects that a key's version names. `load` checks a key's MACs;
// kCorrupt, naming the key, where a key's MACs do not hold: such a key might name any object.
Result<std::set<Bytes>> NamedResidents(
    storage::Database& database,
    const std::function<Result<std::shared_ptr<const Key>>(const store::KeyPlace&)>& load);

}  // namespace coffer::keyring
