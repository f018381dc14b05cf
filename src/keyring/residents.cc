#include "keyring/residents.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "coffer/keyring/orphans.h"
#include "keyring/resident_store.h"

namespace coffer::keyring {

Result<ResidentPlace> Residents::Reserve(const CustodianTurn&, const Id& key, int version) {
  COFFER_ASSIGN(const auto rows, store::Residents(database_));
  const auto live =
      std::ranges::count(rows, store::ResidentState::kLive, &store::ResidentRow::state);
  if (live >= limit_) return Fail(Refusal::kResidentLimit, {.given = live});
  ResidentPlace place;
  place.database = catalog_.DatabaseId();
  const Id locator = Id::Generate(random_);
  place.locator.assign(locator.octets.begin(), locator.octets.end());
  COFFER_ASSIGN(storage::Transaction transaction, database_.Begin());
  COFFER_TRY(store::InsertResident(transaction,
                                   {place.locator, key, version, store::ResidentState::kCreating}));
  COFFER_TRY(transaction.Commit());
  return place;
}

Status Residents::Forget(const CustodianTurn&, ByteView locator) {
  return ForgetResident(database_, locator);
}

// No key names these objects after COMMIT. If one cannot be destroyed, its row stays, and the log
// names it.
void Residents::Destroy(CustodianTurn& turn, const std::vector<Bytes>& locators) {
  for (const Bytes& locator : locators) {
    Status done = turn->DestroyResident(locator);
    if (done) {
      auto transaction = database_.Begin();
      done = transaction ? store::DeleteResident(*transaction, locator)
                         : Status(Fail(transaction.error()));
      if (done) done = transaction->Commit();
    }
    if (!done) {
      logger_.Log(LogLevel::kError, "keyring", "failed to destroy a resident key's token object",
                  {{"object", ToHex(locator)}, {"why", done.error().message}});
    }
  }
}

void Residents::MarkForDestruction(const CustodianTurn&, std::vector<Bytes> locators) {
  std::ranges::move(locators, std::back_inserter(marked_));
}

void Residents::DestroyMarked(CustodianTurn& turn) {
  if (marked_.empty()) return;
  Destroy(turn, std::exchange(marked_, {}));
}

// The rows that list objects to destroy have no MAC, so somebody who writes to the database could
// list any object. Therefore only objects are destroyed that no key needs: the sums over the keys
// show that none is missing, and their MACs which objects they name. If one key fails its check,
// nothing is destroyed, since it might need any of the objects.
Status Residents::FinishDestroying(CustodianTurn& turn) {
  COFFER_ASSIGN(const auto rows, store::Residents(database_));
  std::vector<Bytes> left;
  for (const store::ResidentRow& row : rows) {
    if (row.state == store::ResidentState::kDestroying) left.push_back(row.locator);
  }
  if (left.empty()) return {};
  const auto needed = catalog_.NamedResidents(turn);
  if (!needed && needed.error().code == Code::kCorrupt) {
    logger_.Log(
        LogLevel::kWarn, "keyring", "objects of destroyed keys stay in the token",
        {{"objects", static_cast<std::int64_t>(left.size())}, {"why", needed.error().message}});
    return {};
  }
  if (!needed) return Fail(needed.error());
  std::erase_if(left, [&](const Bytes& locator) { return needed->contains(locator); });
  // Rows have no MAC: one may name another database's object, or one that is gone already.
  COFFER_ASSIGN(const auto objects, turn->Residents(catalog_.DatabaseId()));
  const auto foreign = std::partition(left.begin(), left.end(), [&](const Bytes& locator) {
    return std::ranges::find(objects, locator) != objects.end();
  });
  for (auto locator = foreign; locator != left.end(); ++locator) {
    COFFER_TRY(ForgetResident(database_, *locator));
  }
  left.erase(foreign, left.end());
  Destroy(turn, left);
  return {};
}

Status Residents::Compare(CustodianTurn& turn) {
  COFFER_ASSIGN(const auto rows, store::Residents(database_));
  COFFER_ASSIGN(const auto objects, turn->Residents(catalog_.DatabaseId()));
  std::set<Bytes> live;
  for (const store::ResidentRow& row : rows) {
    if (row.state == store::ResidentState::kLive) live.insert(row.locator);
  }
  for (const Bytes& object : objects) {
    if (live.erase(object) == 0) ++orphaned_;
  }
  if (orphaned_ > 0) {
    logger_.Log(LogLevel::kWarn, "keyring",
                "the token holds objects of this database without a key",
                {{"objects", static_cast<std::int64_t>(orphaned_)}});
  }
  for (const Bytes& missing : live) {
    logger_.Log(LogLevel::kError, "keyring", "a resident key's object is not in the token",
                {{"object", ToHex(missing)}});
  }
  return {};
}

}  // namespace coffer::keyring
