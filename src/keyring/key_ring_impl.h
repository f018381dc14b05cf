#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "coffer/keyring/key_ring.h"
#include "keyring/handle_cache.h"
#include "keyring/key_cache.h"
#include "keyring/keyring_store.h"
#include "keyring/resident_store.h"
#include "keyring/retired_versions.h"
#include "keyring/row_codec.h"

namespace coffer::keyring {

inline constexpr std::size_t kNonceOctets = 12;
// Encryptions charged at once; a crash over-counts by at most this.
inline constexpr std::int64_t kCountBlock = 65'536;
inline constexpr std::int64_t kRotateAt = std::int64_t{1} << 30;
inline constexpr std::int64_t kRefuseAt = std::int64_t{1} << 32;

struct KeyRing::Impl {
  // The token instance and the handles of one thread, which only that thread uses.
  struct Worker {
    explicit Worker(std::size_t most_handles) : handles(most_handles) {}

    Token* token = nullptr;
    HandleCache handles;
    std::uint64_t generation = 1;
    std::uint64_t retired_seen = 0;
    bool recycle = false;  // before the next use, whatever was made
    // Bytes of the token's generator, drawn ahead of use: one call for 128 nonces.
    std::array<std::uint8_t, 128 * kNonceOctets> drawn{};
    std::size_t drawn_left = 0;  // at the end of `drawn`
  };
  // SoftHSM keeps 200 bytes of each session object that was destroyed until C_Finalize.
  static constexpr std::uint64_t kRecycleAfterObjects = 50'000;
  // The number of counters that are kept for keys outside the cache. Each takes some 120 bytes.
  static constexpr std::size_t kCountersKept = 65'536;
  static constexpr std::size_t kRetiredRemembered = 4096;

  Impl(storage::Database& db, Custodian& keeper, coffer::Random& source, const Clock& time,
       Logger& log, const CacheLimits& limits)
      : database(db),
        custodian(keeper),
        random(source),
        clock(time),
        logger(log),
        custodian_worker(limits.handles),
        cache(limits.key_bytes, kCountersKept) {}

  bool IsCustodian(const Worker& worker) const { return &worker == &custodian_worker; }
  Worker& WorkerAt(std::size_t index) {
    return index == kCustodianWorker ? custodian_worker : *workers.at(index);
  }

  // Constant after construction.
  storage::Database& database;
  Custodian& custodian;
  coffer::Random& random;
  const Clock& clock;
  RotationWitness* witness = nullptr;
  Logger& logger;
  std::vector<std::unique_ptr<Token>> tokens;  // the workers' instances
  std::vector<std::unique_ptr<Worker>> workers;
  Worker custodian_worker;

  KeyCache cache;
  RetiredVersions retired{kRetiredRemembered};
  std::mutex reserve_mutex;  // one reservation at a time: it is one commit for 65,536 encryptions

  Id database_id;  // of `state`; constant once opened

  // The custodian's thread only (the opening thread before it starts).
  StateRow state;
  std::uint64_t token_epoch = 0;
  std::deque<store::KeyPlace> due;  // to be rotated, one in each turn
  // The keys of a COMMIT whose outcome is unknown: state and keys are read again first.
  std::vector<store::KeyPlace> doubtful;
  std::vector<Bytes> doomed;  // objects of versions that a commit removed; see DestroyDoomed()
  int resident_limit = 0;
  std::size_t orphaned_residents = 0;  // token objects without a key, counted at the start

  // key_start.cc
  Status Start(Token& token, const StartPolicy& policy);
  Status StartEmpty(Token& token);
  Status CheckSum(Token& token, bool accept_damage);
  Status CheckEpoch(Token& token, const StartPolicy& policy);
  // Succeeds if the operator accepted a database that is this much older than the token.
  Status AcceptRollback(std::uint64_t newest, const StartPolicy& policy) const;
  Status RequireRotations(Token& token);
  std::string KeysInDoubt(Token& token);

  // unusable_versions.cc
  Status FindUnusable(Token& token, std::vector<UnusableVersion>& found);

  // key_ring.cc
  Status VerifyKey(Token& token, const store::StoredKey& stored) const;
  // Loads a key from storage and checks its MACs; kNotFound, kCorrupt.
  Result<store::StoredKey> Load(Token& token, const Id& mount, std::string_view name) const;

  // key_changes.cc: custodian's thread.
  struct Change {
    const store::StoredKey* before = nullptr;  // null: a new key
    std::shared_ptr<Key> after;                // null: the key goes
    std::vector<int> new_versions;             // in `after`, MACs still to be made
    // False where `before` failed its check: somebody who changed its rows must not choose the
    // objects that are destroyed in the token.
    bool before_verified = true;

    // True if `after` is another key of the same name.
    bool Replaces() const { return before != nullptr && after && before->key.id != after->id; }
    // The versions whose rows are there and have other certificates than in `after`.
    std::vector<const KeyVersion*> NewlyCertified() const;
    // True if the change removes this version of `before` for good.
    bool Drops(int number) const {
      return !after || Replaces() || !after->versions.contains(number);
    }
  };
  // Commits all changes or none, with one step of the epoch.
  Status Commit(Token& token, std::span<const Change> changes);
  // Brings the sum and the count of keys in `next` up to the change; returns the MAC of the key's
  // row.
  Result<Mac> Account(Token& token, const Change& change, StateRow& next);
  Status WriteRows(storage::Transaction& transaction, const Change& change, ByteView key_mac);
  void Publish(const Change& change);
  Status CatchUp(Token& token);
  // Writes the epoch of `state` to the token.
  Status TellEpoch(Token& token);
  Result<KeyVersion> NewVersionOf(Token& token, const Key& key, int number, const Actor& actor);
  Result<KeyVersion> VersionFrom(NewVersion made, int number, const Actor& actor) const;
  // key_imports.cc; a key of one version, which `make` makes.
  using FirstVersion = std::function<Result<KeyVersion>(Token&, Key&)>;
  Changed AddImported(const Id& mount, const KeyName& name, const CreateOptions& options,
                      bool allow_rotation, Refusal taken, const FirstVersion& make);
  // Sets the key's HMAC size where the type leaves it open.
  Result<KeyVersion> ImportedVersionOf(Token& token, Key& key, int number,
                                       const ImportedMaterial& material, const Actor& actor);
  // key_backup.cc
  Result<Key> OpenBackup(Token& token, ByteView backup) const;
  static Status CheckOpens(Token& token, const Key& key);
  void MakeNew(Key& key) const;
  // Loads the key, lets `edit` change a copy and commits it.
  using Edit = std::function<Status(Token&, Key&, std::vector<int>& new_versions)>;
  Changed ChangeKey(const Id& mount, std::string_view name, const Edit& edit);
  Status RemoveKeys(Token& token, std::span<const store::StoredKey> keys);
  // key_rotation.cc: `rotate` with the witness told before and after.
  Changed RotateUnasked(const Id& mount, std::string_view name, std::string_view reason,
                        const std::function<Changed()>& rotate) const;
  void QueueNextDue();
  Status RotateOneDue(const store::KeyPlace& place);
  Status RotateEdit(Token& token, Key& key, std::vector<int>& new_versions, const Actor& actor);

  // resident_keys.cc: custodian's thread.
  Result<ResidentPlace> ReserveResident(const Id& key, int version);
  static std::vector<Bytes> GoneResidents(const Change& change);
  void DestroyResidents(Token& token, const std::vector<Bytes>& locators);
  // Destroys the objects in `doomed`, once the token has the epoch of the change that removed them.
  void DestroyDoomed(Token& token);
  // Destroys the objects that an earlier run was to destroy and did not. Called only if the start
  // needed no decision of the operator.
  Status FinishDestroying(Token& token);
  Status CompareResidents(Token& token);

  // key_use.cc: the worker's own thread.
  Status Refresh(Worker& worker);
  Result<TokenHandle> HandleFor(Worker& worker, const Key& key, const KeyVersion& version, Use use);
  Result<TokenHandle> DerivedHandleFor(Worker& worker, const Key& key, const KeyVersion& version,
                                       DerivedUse use, ByteView context);
  // The handle of the key's own cipher key; for a `derived` key that of the key derived for
  // `context`.
  Result<TokenHandle> CipherHandleFor(Worker& worker, const Key& key, const KeyVersion& version,
                                      ByteView context);
  void Keep(Worker& worker, const HandleKey& key, TokenHandle handle);
  // The verdict on an error of a worker's instance: success if the operation may be tried once
  // more.
  Status Judge(Worker& worker, const Error& error);
  // Runs `attempt` on the worker's own instance, and once more after a doubtful error if the token
  // itself is healthy.
  Status Attempt(Worker& worker, const std::function<Status()>& attempt);
  // Draws `count` nonces, each from the token's generator XOR the kernel's.
  Result<Bytes> DrawNonces(Worker& worker, std::size_t count);
  // Draws the token's half of nonces; the kernel's half is never drawn ahead (docs/key-custody.md,
  // "Nonces").
  Status DrawFromToken(Worker& worker, MutableBytes out);
  Status TokenRandom(Worker& worker, MutableBytes out);
  Status Reserve(const Key& key, const KeyVersion& version, std::int64_t count);
  void AskForRotation(const Key& key, std::string reason);
  Status EncryptOne(Worker& worker, const Key& key, Encryption& item, ByteView random_nonce);
  Result<Mac> ConvergentNonce(Worker& worker, const Key& key, const Encryption& item);
};

}  // namespace coffer::keyring
