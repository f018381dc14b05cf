#pragma once

#include <memory>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/mounts/mount_table.h"
#include "coffer/storage/database.h"

namespace coffer::mounts {

// The rows of the mount table. Stateless; each call runs inside the transaction or reader given.

std::vector<storage::Migration> MountSchema();
// All mounts. kCorrupt where a row fails its check or is not a mount.
Result<std::vector<std::shared_ptr<const Mount>>> ReadMounts(storage::Reader& reader);
Status InsertMount(storage::Transaction& transaction, const Mount& mount);
// Path and config of the row with the mount's id.
Status UpdateMount(storage::Transaction& transaction, const Mount& mount);
Status DeleteMount(storage::Transaction& transaction, const Id& id);

}  // namespace coffer::mounts
