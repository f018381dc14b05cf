#pragma once

#include <cstdint>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"

namespace coffer::keyring::store {

// A version that is an object in the token. The row is written before the object is made and
// deleted after the object is destroyed. An object without a row was left by a crash or was put
// there by somebody else.
enum class ResidentState : std::uint8_t { kCreating = 1, kLive = 2, kDestroying = 3 };
struct ResidentRow {
  Bytes locator;
  Id key;
  int version = 0;
  ResidentState state = ResidentState::kCreating;
};
Status InsertResident(storage::Transaction& transaction, const ResidentRow& row);
Status SetResidentState(storage::Transaction& transaction, ByteView locator, ResidentState state);
Status DeleteResident(storage::Transaction& transaction, ByteView locator);
Result<std::vector<ResidentRow>> Residents(storage::Database& database);

}  // namespace coffer::keyring::store
