#include "keyring/start_checks.h"

#include <utility>
#include <vector>

#include "keyring/encryption_counts.h"
#include "keyring/keyring_store.h"
#include "keyring/row_keys.h"

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
  for (const store::MountedName& place : *places) {
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
  COFFER_ASSIGN(const Token::Epoch epoch, turn->ReadEpoch());
  if (epoch.value != 0 || epoch.database != catalog_.DatabaseId()) {
    return Fail(
        Code::kCorrupt,
        "the token belongs to another database, and this one is empty: restore the database that "
        "belongs to the token");
  }
  COFFER_ASSIGN(const auto places, store::AllKeys(database_, nullptr));
  if (places.empty()) return {};
  return Fail(Code::kCorrupt, "the database has keys but no anchor: restore a backup");
}

// A database from before storage kept the sums: its state row had one sum over all keys.
Status StartChecks::CheckFormerState(CustodianTurn& turn, const store::FormerState& former) {
  COFFER_ASSIGN(const Mac mac, turn->MetaMac(EncodeStateRow(former.state)));
  std::int64_t keys = 0;
  COFFER_ASSIGN(const Sum sum, SumOfRows(database_, keys));
  if (former.state.database != catalog_.DatabaseId() || !ConstantTimeEqual(mac, former.mac) ||
      sum != former.state.sum || keys != former.state.keys) {
    return Fail(Code::kCorrupt,
                "the database's rows were removed, changed or put back, or it "
                "belongs to another token: " +
                    KeysInDoubt(turn) + "; restore a backup");
  }
  epoch_ = former.state.epoch;
  return {};
}

Status StartChecks::CheckEpoch(CustodianTurn& turn, const StartPolicy& policy) {
  COFFER_ASSIGN(const Token::Epoch epoch, turn->ReadEpoch());
  if (epoch.database != catalog_.DatabaseId()) {
    return Fail(Code::kCorrupt,
                "the database belongs to another token: start with the token it was made with");
  }
  token_epoch_ = epoch.value;
  const bool latest = epoch_ == epoch.value || epoch_ == epoch.value + 1;
  if (latest && !policy.restoring) return {};
  if (!latest && epoch_ > epoch.value) {
    return Fail(Code::kCorrupt, "the token is older than the database (token epoch " +
                                    std::to_string(epoch.value) + ", database epoch " +
                                    std::to_string(epoch_) +
                                    "): start with the token's latest state");
  }
  if (!latest) COFFER_TRY(AcceptRollback(epoch.value, policy));
  // Every key is read anyway, and a backup is checked before it takes the place of anything.
  if (database_.AnchorNumber() && !policy.accept_damaged_rows) {
    for (const storage::Shard& shard : database_.Shards()) COFFER_TRY(database_.CheckShard(shard));
  }
  // A backup's counts are not to be trusted either, though no key was changed since.
  return RequireRotations(turn);
}

Status StartChecks::AcceptRollback(std::uint64_t newest, const StartPolicy& policy) {
  const std::string older = std::to_string(epoch_);
  if (policy.accept_rollback_to != epoch_) {
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
  consequences_.push_back("the database of epoch " + older + " counts, not the one of epoch " +
                          std::to_string(newest) + ": what was changed between them is lost");
  return {};
}

// Leaves the database one ahead of the token, which follows at the end of a start.
Status StartChecks::RequireRotations(CustodianTurn& turn) {
  COFFER_ASSIGN(const auto places, store::AllKeys(database_, nullptr));
  std::vector<Marked> marked;
  std::size_t disabled = 0;
  for (const store::MountedName& place : places) {
    COFFER_ASSIGN(marked.emplace_back(), Mark(turn, place));
    if (!marked.back().disabled) continue;
    ++disabled;
    consequences_.push_back("key " + place.name + " of mount " + place.mount.ToUuid() +
                            " failed its check and is disabled for good");
  }
  consequences_.push_back(std::to_string(marked.size() - disabled) +
                          " keys are rotated before they encrypt again");
  // One transaction: a start that is cut off here must find every key unmarked and the rollback
  // still to be accepted.
  COFFER_ASSIGN(storage::Transaction transaction, database_.Begin());
  for (const Marked& entry : marked) COFFER_TRY(WriteMarked(transaction, entry));
  COFFER_TRY(store::DeleteFormerState(transaction));
  constexpr bool kNewLineage = true;
  transaction.Anchor(token_epoch_ + 1, kNewLineage);
  return transaction.Commit();
}

// A key that fails its check cannot be made to rotate, and must not come back as it was.
Result<StartChecks::Marked> StartChecks::Mark(CustodianTurn& turn,
                                              const store::MountedName& place) {
  auto stored = catalog_.Load(turn, place.mount, place.name);
  if (stored) {
    Marked marked{std::move(*stored), {}, false};
    marked.former.key.settings.rotation_required = true;
    ++marked.former.key.generation;
    COFFER_ASSIGN(marked.mac,
                  turn->MetaMac(EncodeKeyRow(catalog_.DatabaseId(), marked.former.key)));
    return marked;
  }
  if (stored.error().code != Code::kCorrupt) return Fail(std::move(stored).error());
  COFFER_ASSIGN(auto digest, store::ReadDigest(database_, place));
  Marked marked{{}, {}, true};
  marked.former.key.id = digest.key;
  marked.former.key.generation = digest.generation;
  marked.former.mac = std::move(digest.mac);
  random_.Fill(marked.mac);
  return marked;
}

Status StartChecks::WriteMarked(storage::Transaction& transaction, const Marked& entry) const {
  const Key& key = entry.former.key;
  if (entry.disabled) {
    COFFER_TRY(store::DisableKey(transaction, key.id, entry.mac));
  } else {
    COFFER_TRY(store::WriteKey(transaction, key, entry.mac));
    COFFER_TRY(ChargeInFull(transaction, key));
  }
  transaction.CountRow(store::KeysShape(), {.key = key.id.View(),
                                            .mac_before = entry.former.mac,
                                            .mac_after = entry.mac,
                                            .newest = key.generation});
  return {};
}

Status StartChecks::Check(CustodianTurn& turn, const StartPolicy& policy) {
  COFFER_TRY(AuthenticateRows(database_, turn, random_, policy));
  COFFER_ASSIGN(const Id id, store::LoadOrCreateDatabaseId(database_, random_));
  catalog_.SetDatabaseId(id);
  const auto number = database_.AnchorNumber();
  COFFER_ASSIGN(const auto former, store::ReadFormerState(database_));
  if (number) {
    epoch_ = *number;
  } else if (former) {
    COFFER_TRY(CheckFormerState(turn, *former));
  } else if (policy.restoring) {
    return Fail(Code::kCorrupt, "the backup has no anchor: it was made before the first start");
  } else {
    return CheckEmpty(turn);
  }
  COFFER_TRY(CheckEpoch(turn, policy));
  for (const std::string& accepted : database_.AcceptedDamage()) consequences_.push_back(accepted);
  if (!database_.AcceptedDamage().empty()) consequences_.push_back(KeysInDoubt(turn));
  return {};
}

}  // namespace coffer::keyring
