#pragma once

#include <cstdint>
#include <string>

#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/storage/database.h"
#include "keyring/catalog.h"
#include "keyring/row_codec.h"

namespace coffer::keyring {

// The checks of a start: the rows are compared with the token before anything is served, so that a
// database that was changed or put back is found out (docs/key-custody.md, "Rows and MACs"). One
// start, with the custodian's turn.
class StartChecks {
 public:
  StartChecks(storage::Database& database, Catalog& catalog, coffer::Random& random, Logger& logger)
      : database_(database), catalog_(catalog), random_(random), logger_(logger) {}

  // kCorrupt, with a sentence that says what to do.
  Status Check(CustodianTurn& turn, const StartPolicy& policy);
  // These are what Check() has found, for the ledger.
  const StateRow& State() const { return state_; }
  std::uint64_t TokenEpoch() const { return token_epoch_; }

 private:
  Status CheckEmpty(CustodianTurn& turn);
  Status CheckSum(CustodianTurn& turn, bool accept_damage);
  Status CheckEpoch(CustodianTurn& turn, const StartPolicy& policy);
  // Succeeds if the operator accepted a database that is this much older than the token.
  Status AcceptRollback(std::uint64_t newest, const StartPolicy& policy) const;
  Status RequireRotations(CustodianTurn& turn);
  std::string KeysInDoubt(CustodianTurn& turn) const;

  storage::Database& database_;
  Catalog& catalog_;
  coffer::Random& random_;
  Logger& logger_;
  StateRow state_;
  std::uint64_t token_epoch_ = 0;
};

}  // namespace coffer::keyring
