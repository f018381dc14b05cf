#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/storage/database.h"
#include "keyring/catalog.h"
#include "keyring/keyring_store.h"
#include "keyring/row_codec.h"

namespace coffer::keyring {

// The checks of a start: the rows are compared with the token before anything is served, so that a
// database that was changed or put back is refused (docs/key-custody.md, "Rows and MACs"). Used for
// one start, on the custodian's thread.
class StartChecks {
 public:
  StartChecks(storage::Database& database, Catalog& catalog, coffer::Random& random)
      : database_(database), catalog_(catalog), random_(random) {}

  // kCorrupt, with a sentence that says what to do.
  Status Check(CustodianTurn& turn, const StartPolicy& policy);
  // The results of Check(), for KeyCommits.
  std::uint64_t TokenEpoch() const { return token_epoch_; }
  std::uint64_t Epoch() const { return epoch_; }
  // One sentence for each thing that the flags in StartPolicy caused.
  std::vector<std::string> Consequences() { return std::move(consequences_); }

 private:
  Status CheckEmpty(CustodianTurn& turn);
  Status CheckFormerState(CustodianTurn& turn, const store::FormerState& former);
  Status CheckEpoch(CustodianTurn& turn, const StartPolicy& policy);
  // Succeeds if the operator accepted a database that is this much older than the token.
  Status AcceptRollback(std::uint64_t newest, const StartPolicy& policy);
  Status RequireRotations(CustodianTurn& turn);
  // A key that must rotate or is disabled for good, with the new MAC of its row.
  struct Marked {
    store::StoredKey former;  // as it was read, with its former MAC
    Mac mac{};
    bool disabled = false;
  };
  Result<Marked> Mark(CustodianTurn& turn, const store::MountedName& place);
  Status WriteMarked(storage::Transaction& transaction, const Marked& entry) const;
  std::string KeysInDoubt(CustodianTurn& turn) const;

  storage::Database& database_;
  Catalog& catalog_;
  coffer::Random& random_;
  std::uint64_t epoch_ = 0;  // of the database: the number of its anchor
  std::uint64_t token_epoch_ = 0;
  std::vector<std::string> consequences_;
};

}  // namespace coffer::keyring
