#pragma once

// Token objects that no key of the database needs. Functions without any state; FindOrphans() runs
// on any thread and has no errors, ForgetResident() writes to the database and has its errors.

#include <cstddef>
#include <set>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/keyring/token_admin.h"
#include "coffer/storage/database.h"

namespace coffer::keyring {

// The token objects that may be destroyed: this database's objects that no version names, and those
// that killed examinations of the token left.
struct Orphans {
  std::vector<TokenObject> objects;
  std::size_t of_other_databases = 0;  // resident keys of other databases in the same token
};
Orphans FindOrphans(const std::vector<TokenObject>& objects, const Id& database,
                    const std::set<Bytes>& named);

// Deletes the row of a token object that belongs to no version from the database.
Status ForgetResident(storage::Database& database, ByteView locator);

}  // namespace coffer::keyring
