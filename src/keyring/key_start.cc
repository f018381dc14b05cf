// The checks at the start: the rows are compared with the token before anything is served, so that
// a database that was changed or put back is found out (docs/key-custody.md, "Rows and MACs").

#include <utility>

#include "keyring/key_ring_impl.h"

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

std::string KeyRing::Impl::KeysInDoubt(Token& token) {
  constexpr std::size_t kNamed = 20;
  const auto places = store::AllKeys(database, nullptr);
  if (!places) return "the keys cannot be listed";
  std::string names;
  std::size_t count = 0;
  for (const store::KeyPlace& place : *places) {
    const auto loaded = Load(token, place.mount, place.name);
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

Status KeyRing::Impl::StartEmpty(Token& token) {
  COFFER_ASSIGN(state.database, store::LoadOrCreateDatabaseId(database, random));
  database_id = state.database;
  COFFER_ASSIGN(const Token::Epoch epoch, token.ReadEpoch());
  if (epoch.value != 0 || epoch.database != state.database) {
    return Fail(
        Code::kCorrupt,
        "the token belongs to another database, and this one is empty: restore the database that "
        "belongs to the token");
  }
  std::int64_t keys = 0;
  COFFER_ASSIGN(state.sum, SumOfRows(database, keys));
  if (keys != 0)
    return Fail(Code::kCorrupt, "the database has keys but no state row: restore a backup");
  state.epoch = 0;
  return {};
}

Status KeyRing::Impl::CheckSum(Token& token, bool accept_damage) {
  std::int64_t keys = 0;
  COFFER_ASSIGN(const Sum sum, SumOfRows(database, keys));
  if (sum == state.sum && keys == state.keys) return {};
  if (!accept_damage) {
    return Fail(Code::kCorrupt,
                "key rows were removed, changed or put back: " + KeysInDoubt(token) +
                    "; restore a backup, or start once with -accept-damaged-rows");
  }
  logger.Log(LogLevel::kWarn, "keyring", "starting with damaged rows on the operator's word",
             {{"doubt", KeysInDoubt(token)}});
  state.sum = sum;
  state.keys = keys;
  return {};
}

Status KeyRing::Impl::CheckEpoch(Token& token, const StartPolicy& policy) {
  COFFER_ASSIGN(const Token::Epoch epoch, token.ReadEpoch());
  if (epoch.database != state.database) {
    return Fail(Code::kCorrupt,
                "the database belongs to another token: start with the token it was made with");
  }
  token_epoch = epoch.value;
  const bool latest = state.epoch == epoch.value || state.epoch == epoch.value + 1;
  if (latest && !policy.restoring) return {};
  if (!latest && state.epoch > epoch.value) {
    return Fail(Code::kCorrupt, "the token is older than the database (token epoch " +
                                    std::to_string(epoch.value) + ", database epoch " +
                                    std::to_string(state.epoch) +
                                    "): start with the token's latest state");
  }
  if (!latest) COFFER_TRY(AcceptRollback(epoch.value, policy));
  // A backup's counts are not to be trusted either, though no key was changed since.
  state.epoch = epoch.value;
  return RequireRotations(token);
}

Status KeyRing::Impl::AcceptRollback(std::uint64_t newest, const StartPolicy& policy) const {
  const std::string older = std::to_string(state.epoch);
  if (policy.accept_rollback_to != state.epoch) {
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
  logger.Log(LogLevel::kWarn, "keyring", "accepted an older database on the operator's word",
             {{"database_epoch", static_cast<std::int64_t>(state.epoch)},
              {"token_epoch", static_cast<std::int64_t>(newest)}});
  return {};
}

// Leaves the database one ahead of the token, which follows at the end of a start.
Status KeyRing::Impl::RequireRotations(Token& token) {
  COFFER_ASSIGN(const auto places, store::AllKeys(database, nullptr));
  struct Marked {
    Key key;
    Mac mac;
  };
  std::vector<Marked> marked;
  StateRow next = state;
  ++next.epoch;
  for (const store::KeyPlace& place : places) {
    auto stored = Load(token, place.mount, place.name);
    if (!stored && stored.error().code == Code::kCorrupt) continue;  // disabled, and stays so
    if (!stored) return Fail(std::move(stored).error());
    SubtractFrom(next.sum, KeyContribution(stored->key.id, stored->key.generation, stored->mac));
    Key key = std::move(stored->key);
    key.settings.rotation_required = true;
    ++key.generation;
    COFFER_ASSIGN(const Mac mac, token.MetaMac(EncodeKeyRow(state.database, key)));
    AddTo(next.sum, KeyContribution(key.id, key.generation, mac));
    marked.push_back({std::move(key), mac});
  }
  COFFER_ASSIGN(const Mac state_mac, token.MetaMac(EncodeStateRow(next)));
  // One transaction: a start that is cut off here must find every key unmarked and the rollback
  // still to be accepted.
  COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
  for (const Marked& entry : marked) {
    COFFER_TRY(store::WriteKey(transaction, entry.key, entry.mac));
    COFFER_TRY(ChargeInFull(transaction, entry.key));
  }
  COFFER_TRY(store::WriteState(transaction, next, state_mac));
  COFFER_TRY(transaction.Commit());
  state = next;
  return {};
}

Status KeyRing::Impl::Start(Token& token, const StartPolicy& policy) {
  COFFER_ASSIGN(const auto stored, store::ReadState(database));
  if (stored) {
    state = stored->state;
    database_id = state.database;
    COFFER_ASSIGN(const Mac mac, token.MetaMac(EncodeStateRow(state)));
    if (!ConstantTimeEqual(mac, stored->mac) && !policy.accept_damaged_rows) {
      return Fail(
          Code::kCorrupt,
          "the database's state row failed its check: it was changed, or the database belongs to "
          "another token; " +
              KeysInDoubt(token) + "; restore a backup, or start once with -accept-damaged-rows");
    }
    COFFER_TRY(CheckSum(token, policy.accept_damaged_rows));
    COFFER_TRY(CheckEpoch(token, policy));
  } else if (policy.restoring) {
    return Fail(Code::kCorrupt, "the backup has no state row: it was made before the first start");
  } else {
    COFFER_TRY(StartEmpty(token));
  }
  resident_limit = policy.resident_limit;
  // The token stays as it is until the database has its place: until then the former one starts.
  if (policy.restoring) return CompareResidents(token);
  // One step of the epoch for each start: a database copied before it can never be passed off as
  // the latest.
  // The token first catches up with a change whose epoch it missed, so that the database is never
  // two ahead, however often a start is cut off here.
  COFFER_TRY(CatchUp(token));
  StateRow next = state;
  ++next.epoch;
  COFFER_ASSIGN(const Mac mac, token.MetaMac(EncodeStateRow(next)));
  COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
  COFFER_TRY(store::WriteState(transaction, next, mac));
  COFFER_TRY(transaction.Commit());
  state = next;
  COFFER_TRY(TellEpoch(token));
  const bool on_a_word = policy.accept_damaged_rows || policy.accept_rollback_to;
  if (!on_a_word) COFFER_TRY(FinishDestroying(token));
  return CompareResidents(token);
}

}  // namespace coffer::keyring
