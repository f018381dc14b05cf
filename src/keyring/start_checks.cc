#include "keyring/start_checks.h"

#include <utility>
#include <vector>

#include "keyring/encryption_counts.h"
#include "keyring/keyring_store.h"

namespace coffer::keyring {
namespace {

Result<Sum> SumOfRows(storage::Database& database, std::int64_t& keys) {
  Sum sum{};
  keys = 0;
  COFFER_TRY(store::ForEachDigest(database, [&](const store::KeyDigest& digest) {
    AddTo(sum, KeyContribution(digest.key, digest.generation, digest.mac));
    ++keys;
  }));
  return sum;
}

// The number of encryptions since the rows were written is unknown, so the versions must encrypt no
// more, whatever minimum version is configured later.
Status ChargeInFull(storage::Transaction& transaction, const Key& key) {
  if (!key.Info().Counted()) return {};
  for (const auto& [number, version] : key.versions) {
    COFFER_TRY(store::ChargeVersion(transaction, key.id, number, kRefuseAt));
  }
  return {};
}

}  // namespace

std::string StartChecks::KeysInDoubt(CustodianTurn& turn) const {
  constexpr std::size_t kNamed = 20;
  const auto places = store::AllKeys(database_, nullptr);
  if (!places) return "the keys cannot be listed";
  std::string names;
  std::size_t count = 0;
  for (const store::KeyPlace& place : *places) {
    const auto loaded = catalog_.Load(turn, place.mount, place.name);
    if (loaded || loaded.error().code != Code::kCorrupt) continue;
    if (++count <= kNamed) names += (names.empty() ? "" : ", ") + place.name;
  }
  if (count == 0) {
    return "every key's own rows are whole, so whole keys were removed or put back to an earlier "
           "state";
  }
  if (count > kNamed) names += " and " + std::to_string(count - kNamed) + " more";
  return "keys in doubt: " + names;
}

Status StartChecks::CheckEmpty(CustodianTurn& turn) {
  COFFER_ASSIGN(state_.database, store::LoadOrCreateDatabaseId(database_, random_));
  catalog_.SetDatabaseId(state_.database);
  COFFER_ASSIGN(const Token::Epoch epoch, turn->ReadEpoch());
  if (epoch.value != 0 || epoch.database != state_.database) {
    return Fail(
        Code::kCorrupt,
        "the token belongs to another database, and this one is empty: restore the database that "
        "belongs to the token");
  }
  std::int64_t keys = 0;
  COFFER_ASSIGN(state_.sum, SumOfRows(database_, keys));
  if (keys != 0)
    return Fail(Code::kCorrupt, "the database has keys but no state row: restore a backup");
  state_.epoch = 0;
  return {};
}

Status StartChecks::CheckSum(CustodianTurn& turn, bool accept_damage) {
  std::int64_t keys = 0;
  COFFER_ASSIGN(const Sum sum, SumOfRows(database_, keys));
  if (sum == state_.sum && keys == state_.keys) return {};
  if (!accept_damage) {
    return Fail(Code::kCorrupt, "key rows were removed, changed or put back: " + KeysInDoubt(turn) +
                                    "; restore a backup, or start once with -accept-damaged-rows");
  }
  logger_.Log(LogLevel::kWarn, "keyring", "starting with damaged rows on the operator's word",
              {{"doubt", KeysInDoubt(turn)}});
  state_.sum = sum;
  state_.keys = keys;
  return {};
}

Status StartChecks::CheckEpoch(CustodianTurn& turn, const StartPolicy& policy) {
  COFFER_ASSIGN(const Token::Epoch epoch, turn->ReadEpoch());
  if (epoch.database != state_.database) {
    return Fail(Code::kCorrupt,
                "the database belongs to another token: start with the token it was made with");
  }
  token_epoch_ = epoch.value;
  const bool latest = state_.epoch == epoch.value || state_.epoch == epoch.value + 1;
  if (latest && !policy.restoring) return {};
  if (!latest && state_.epoch > epoch.value) {
    return Fail(Code::kCorrupt, "the token is older than the database (token epoch " +
                                    std::to_string(epoch.value) + ", database epoch " +
                                    std::to_string(state_.epoch) +
                                    "): start with the token's latest state");
  }
  if (!latest) COFFER_TRY(AcceptRollback(epoch.value, policy));
  // A backup's counts are not to be trusted either, though no key was changed since.
  state_.epoch = epoch.value;
  return RequireRotations(turn);
}

Status StartChecks::AcceptRollback(std::uint64_t newest, const StartPolicy& policy) const {
  const std::string older = std::to_string(state_.epoch);
  if (policy.accept_rollback_to != state_.epoch) {
    const std::string epochs =
        " (database epoch " + older + ", token epoch " + std::to_string(newest) + "): ";
    return Fail(Code::kCorrupt,
                policy.restoring ? "the backup is older than the token" + epochs +
                                       "restore the latest one, or give -accept-rollback=" + older +
                                       " to lose what came after it"
                                 : "the database is older than the token" + epochs +
                                       "start with the latest database, or with -accept-rollback=" +
                                       older + " to lose what came after it and rotate every key");
  }
  logger_.Log(LogLevel::kWarn, "keyring", "accepted an older database on the operator's word",
              {{"database_epoch", static_cast<std::int64_t>(state_.epoch)},
               {"token_epoch", static_cast<std::int64_t>(newest)}});
  return {};
}

// Leaves the database one ahead of the token, which follows at the end of a start.
Status StartChecks::RequireRotations(CustodianTurn& turn) {
  COFFER_ASSIGN(const auto places, store::AllKeys(database_, nullptr));
  struct Marked {
    Key key;
    Mac mac;
  };
  std::vector<Marked> marked;
  StateRow next = state_;
  ++next.epoch;
  for (const store::KeyPlace& place : places) {
    auto stored = catalog_.Load(turn, place.mount, place.name);
    if (!stored && stored.error().code == Code::kCorrupt) continue;  // disabled, and stays so
    if (!stored) return Fail(std::move(stored).error());
    SubtractFrom(next.sum, KeyContribution(stored->key.id, stored->key.generation, stored->mac));
    Key key = std::move(stored->key);
    key.settings.rotation_required = true;
    ++key.generation;
    COFFER_ASSIGN(const Mac mac, turn->MetaMac(EncodeKeyRow(state_.database, key)));
    AddTo(next.sum, KeyContribution(key.id, key.generation, mac));
    marked.push_back({std::move(key), mac});
  }
  COFFER_ASSIGN(const Mac state_mac, turn->MetaMac(EncodeStateRow(next)));
  // One transaction: a start that is cut off here must find every key unmarked and the rollback
  // still to be accepted.
  COFFER_ASSIGN(storage::Transaction transaction, database_.Begin());
  for (const Marked& entry : marked) {
    COFFER_TRY(store::WriteKey(transaction, entry.key, entry.mac));
    COFFER_TRY(ChargeInFull(transaction, entry.key));
  }
  COFFER_TRY(store::WriteState(transaction, next, state_mac));
  COFFER_TRY(transaction.Commit());
  state_ = next;
  return {};
}

Status StartChecks::Check(CustodianTurn& turn, const StartPolicy& policy) {
  COFFER_ASSIGN(const auto stored, store::ReadState(database_));
  if (stored) {
    state_ = stored->state;
    catalog_.SetDatabaseId(state_.database);
    COFFER_ASSIGN(const Mac mac, turn->MetaMac(EncodeStateRow(state_)));
    if (!ConstantTimeEqual(mac, stored->mac) && !policy.accept_damaged_rows) {
      return Fail(
          Code::kCorrupt,
          "the database's state row failed its check: it was changed, or the database belongs to "
          "another token; " +
              KeysInDoubt(turn) + "; restore a backup, or start once with -accept-damaged-rows");
    }
    COFFER_TRY(CheckSum(turn, policy.accept_damaged_rows));
    COFFER_TRY(CheckEpoch(turn, policy));
  } else if (policy.restoring) {
    return Fail(Code::kCorrupt, "the backup has no state row: it was made before the first start");
  } else {
    COFFER_TRY(CheckEmpty(turn));
  }
  return {};
}

}  // namespace coffer::keyring
