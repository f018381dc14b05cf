// Versions that are token objects. The row of each is written before the object is made and deleted
// after it is destroyed.

#include <algorithm>
#include <set>
#include <utility>

#include "coffer/keyring/orphans.h"
#include "keyring/key_ring_impl.h"
#include "keyring/named_residents.h"

namespace coffer::keyring {

Result<ResidentPlace> KeyRing::Impl::ReserveResident(const Id& key, int version) {
  COFFER_ASSIGN(const auto rows, store::Residents(database));
  const auto live =
      std::ranges::count(rows, store::ResidentState::kLive, &store::ResidentRow::state);
  if (live >= resident_limit) return Fail(Refusal::kResidentLimit, {.given = live});
  ResidentPlace place;
  place.database = state.database;
  const Id locator = Id::Generate(random);
  place.locator.assign(locator.octets.begin(), locator.octets.end());
  COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
  COFFER_TRY(store::InsertResident(transaction,
                                   {place.locator, key, version, store::ResidentState::kCreating}));
  COFFER_TRY(transaction.Commit());
  return place;
}

std::vector<Bytes> KeyRing::Impl::GoneResidents(const Change& change) {
  std::vector<Bytes> gone;
  if (change.before == nullptr || !change.before_verified) return gone;
  for (const auto& [number, version] : change.before->key.versions) {
    if (version.custody == Custody::kResident && change.Drops(number)) {
      gone.push_back(version.locator);
    }
  }
  return gone;
}

// Nothing refers to these objects after COMMIT. If one cannot be destroyed, its row stays, so that
// an operator can see it.
void KeyRing::Impl::DestroyResidents(Token& token, const std::vector<Bytes>& locators) {
  for (const Bytes& locator : locators) {
    Status done = token.DestroyResident(locator);
    if (done) {
      auto transaction = database.Begin();
      done = transaction ? store::DeleteResident(*transaction, locator)
                         : Status(Fail(transaction.error()));
      if (done) done = transaction->Commit();
    }
    if (!done) {
      logger.Log(LogLevel::kError, "keyring", "failed to destroy a resident key's token object",
                 {{"object", ToHex(locator)}, {"why", done.error().message}});
    }
  }
}

void KeyRing::Impl::DestroyDoomed(Token& token) {
  if (doomed.empty()) return;
  DestroyResidents(token, std::exchange(doomed, {}));
}

// A row that calls an object doomed has no MAC: somebody who writes to the database could have any
// object destroyed. But the state row's MAC, its sum and the epoch say which keys there are, and
// their MACs which objects they need; what none of them needs is no key's. One key whose rows
// cannot be trusted might need any of them.
Status KeyRing::Impl::FinishDestroying(Token& token) {
  COFFER_ASSIGN(const auto rows, store::Residents(database));
  std::vector<Bytes> left;
  for (const store::ResidentRow& row : rows) {
    if (row.state == store::ResidentState::kDestroying) left.push_back(row.locator);
  }
  if (left.empty()) return {};
  const auto needed = NamedResidents(
      database, [&](const store::KeyPlace& place) -> Result<std::shared_ptr<const Key>> {
        COFFER_ASSIGN(auto stored, Load(token, place.mount, place.name));
        return std::make_shared<const Key>(std::move(stored.key));
      });
  if (!needed && needed.error().code == Code::kCorrupt) {
    logger.Log(
        LogLevel::kWarn, "keyring", "objects of destroyed keys stay in the token",
        {{"objects", static_cast<std::int64_t>(left.size())}, {"why", needed.error().message}});
    return {};
  }
  if (!needed) return Fail(needed.error());
  std::erase_if(left, [&](const Bytes& locator) { return needed->contains(locator); });
  // Rows have no MAC: one may name another database's object, or one that is gone already.
  COFFER_ASSIGN(const auto objects, token.Residents(state.database));
  const auto foreign = std::partition(left.begin(), left.end(), [&](const Bytes& locator) {
    return std::ranges::find(objects, locator) != objects.end();
  });
  for (auto locator = foreign; locator != left.end(); ++locator) {
    COFFER_TRY(ForgetResident(database, *locator));
  }
  left.erase(foreign, left.end());
  DestroyResidents(token, left);
  return {};
}

Status KeyRing::Impl::CompareResidents(Token& token) {
  COFFER_ASSIGN(const auto rows, store::Residents(database));
  COFFER_ASSIGN(const auto objects, token.Residents(state.database));
  std::set<Bytes> live;
  for (const store::ResidentRow& row : rows) {
    if (row.state == store::ResidentState::kLive) live.insert(row.locator);
  }
  for (const Bytes& object : objects) {
    if (live.erase(object) == 0) ++orphaned_residents;
  }
  if (orphaned_residents > 0) {
    logger.Log(LogLevel::kWarn, "keyring", "the token holds objects of this database without a key",
               {{"objects", static_cast<std::int64_t>(orphaned_residents)}});
  }
  for (const Bytes& missing : live) {
    logger.Log(LogLevel::kError, "keyring", "a resident key's object is not in the token",
               {{"object", ToHex(missing)}});
  }
  return {};
}

}  // namespace coffer::keyring
