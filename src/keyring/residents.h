#pragma once

#include <cstddef>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/token.h"
#include "coffer/storage/database.h"
#include "keyring/catalog.h"

namespace coffer::keyring {

// Versions that are token objects, and their rows, which have no MAC: a row is written before its
// object is made, and deleted after the object is destroyed. The custodian's thread, except
// Orphaned().
class Residents {
 public:
  Residents(storage::Database& database, const Catalog& catalog, coffer::Random& random,
            Logger& logger)
      : database_(database), catalog_(catalog), random_(random), logger_(logger) {}

  // The number of versions that may be token objects.
  void SetLimit(const CustodianTurn&, int limit) { limit_ = limit; }
  // Draws the CKA_ID of a new version and stores its row; kResidentLimit.
  Result<ResidentPlace> Reserve(const CustodianTurn& turn, const Id& key, int version);
  // Deletes the row of a version whose object was not made.
  Status Forget(const CustodianTurn& turn, ByteView locator);
  // Notes objects of versions that a commit has removed, for DestroyMarked(), which is called once
  // the token has the epoch of that commit.
  void MarkForDestruction(const CustodianTurn& turn, std::vector<Bytes> locators);
  void DestroyMarked(CustodianTurn& turn);
  // Destroys the objects that an earlier run was to destroy and did not. Called only if the start
  // needed no decision of the operator.
  Status FinishDestroying(CustodianTurn& turn);
  // Compares the rows with the token's objects, and logs where they differ.
  Status Compare(CustodianTurn& turn);
  // Token objects without a key, counted by Compare() at the start; any thread after it.
  std::size_t Orphaned() const { return orphaned_; }

 private:
  void Destroy(CustodianTurn& turn, const std::vector<Bytes>& locators);

  storage::Database& database_;
  const Catalog& catalog_;
  coffer::Random& random_;
  Logger& logger_;
  int limit_ = 0;
  std::vector<Bytes> marked_;
  std::size_t orphaned_ = 0;
};

}  // namespace coffer::keyring
