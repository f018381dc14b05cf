#pragma once

// The key ring holds every key of the server: wrapped versions in storage, settings and minimum
// versions, counters of encryptions, and the lanes through which keys are used (lane.h). The server
// owns one and gives it to the engines. Any thread may call. A function that takes a lane runs on
// that lane's thread; it needs the token only for a key that is not loaded. Changes run on the
// custodian one after another: token work first, one transaction, the token's epoch, then the new
// snapshot. Errors: refusals (base/refusal.h) for a request that breaks a rule, kTokenLost and
// kTokenFailed for the token, kUnavailable for a full disk or queue, kCorrupt for rows that fail
// their check.
// Example: `COFFER_ASSIGN(const auto key, keys.Find(lane, mount, "k"));`

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/certificate_chain.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/lane.h"
#include "coffer/keyring/token.h"
#include "coffer/storage/database.h"

namespace coffer::keyring {

struct CreateOptions {
  KeyType type = KeyType::kAes256Gcm96;
  bool derived = false;
  bool convergent = false;
  std::optional<std::int64_t> hmac_octets = std::nullopt;  // type hmac only; 64 where not given
  bool allow_plaintext_backup = false;
  std::int64_t auto_rotate_period_seconds = 0;
  bool exportable = false;  // may be wrapped for other servers; never changes later
  // AES-GCM only, never changes later: each version is an object of the token, so that it can be
  // destroyed for good. One that the token or resident_limit has no room for is wrapped.
  bool resident = false;
};

// A key that was made elsewhere: exactly one of the two members is set.
struct ImportedMaterial {
  // RSA-OAEP(wrapping key, ephemeral AES-256), 512 bytes, then RFC 5649(ephemeral, key).
  Bytes wrapped;
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha256;  // of RSA-OAEP
  crypto::PublicKey::Shared public_key;                         // verifies and encrypts only
};

// A change of settings: every field that is set changes, and either all of them change or none.
struct ConfigChange {
  std::optional<std::int64_t> min_decryption_version = std::nullopt;
  std::optional<std::int64_t> min_encryption_version = std::nullopt;
  std::optional<bool> deletion_allowed = std::nullopt;
  std::optional<bool> allow_plaintext_backup = std::nullopt;  // can only become true
  std::optional<std::int64_t> auto_rotate_period_seconds = std::nullopt;
};

// The numbers of session objects that stand for keys, and of look-ups of them.
struct HandleCounts {
  std::uint64_t cached = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;     // each unwraps or derives one
  std::uint64_t displaced = 0;  // made room for another
};

// True if a key ring was ever opened on this database. A token without masters has then lost them,
// and is not a new token.
Result<bool> HasState(storage::Database& database);
// The database's identity, made at the first call. CompleteToken() needs it before the database has
// an anchor.
Result<Id> LoadOrCreateDatabaseId(storage::Database& database, coffer::Random& random);

// The operator's decisions about a database whose rows are damaged or older than the token says.
struct StartPolicy {
  std::optional<std::uint64_t>
      accept_rollback_to;            // -accept-rollback: the epoch of the older database
  bool accept_damaged_rows = false;  // -accept-damaged-rows
  int resident_limit = 1000;         // versions kept as token objects
  // The database is a backup that is being restored: every key must be rotated whatever the epoch,
  // and nothing is written to the token, so that the present database still starts.
  bool restoring = false;
};

// The limits of the caches: keys and handles that were dropped are read or made again.
struct CacheLimits {
  std::size_t key_bytes = 16UL * 1024 * 1024;  // of keys as they are read from the database
  // Unwrapped and derived keys in each instance of the token. SoftHSM takes 7.5 kB for each.
  std::size_t handles = 2000;
};

// A version or a whole key in the database that this token cannot use.
struct UnusableVersion {
  Id mount;
  std::string key;
  int version = 0;  // 0: the whole key
  std::string why;
};

// Records the rotations that no request caused. Its functions are called before and after each, on
// the custodian's thread.
class RotationWitness {
 public:
  virtual ~RotationWitness() = default;
  // Called before the rotation; an error puts the rotation off.
  virtual Status Begun(const Id& mount, std::string_view key, std::string_view reason) = 0;
  virtual void Ended(const Id& mount, std::string_view key, const Status& outcome) = 0;
};

// All keys, by mount and name.
class KeyRing {
 public:
  static std::vector<storage::Migration> Schema();
  // Checks the anchor, the sums and the token's epoch (docs/key-custody.md, "Rows and MACs").
  // kCorrupt, with a sentence that says what to do, where rows were removed, replayed or belong to
  // another token or an older database. `tokens`: one instance for each worker. Call before
  // Custodian::Start().
  static Result<std::unique_ptr<KeyRing>> Open(storage::Database& database, Custodian& custodian,
                                               std::vector<std::unique_ptr<Token>> tokens,
                                               const StartPolicy& policy, coffer::Random& random,
                                               const Clock& clock, Logger& logger,
                                               const CacheLimits& limits = {});
  ~KeyRing();

  // The lanes of the workers and of the custodian.
  Lanes& GetLanes();

  // kNotFound; kCorrupt for a key whose rows failed their MACs: that key only is disabled.
  Result<std::shared_ptr<const Key>> Find(Lane& lane, const Id& mount, std::string_view name);
  // Names in order, those after `after`, at most `limit` (0: all).
  Result<std::vector<std::string>> List(const Id& mount, std::string_view after,
                                        std::int64_t limit);

  struct Created {
    std::shared_ptr<const Key> key;
    bool existed = false;
  };
  // An existing key is returned unchanged.
  Result<Created> Create(const Id& mount, const KeyName& name, const CreateOptions& options,
                         const Actor& actor);
  using Changed = Result<std::shared_ptr<const Key>>;
  // Each fails with kKeyNotFound if the key is absent, and with the refusal of the rule that the
  // change would break.
  Changed Rotate(const Id& mount, std::string_view name, const Actor& actor);
  Changed Configure(const Id& mount, std::string_view name, const ConfigChange& change);
  Changed Trim(const Id& mount, std::string_view name, std::int64_t min_available_version);
  Changed SetSoftDeleted(const Id& mount, std::string_view name, bool deleted);
  Status Delete(const Id& mount, std::string_view name);
  // A new key from elsewhere; kImportOntoExistingKey where the name is taken.
  Changed Import(const Id& mount, const KeyName& name, const CreateOptions& options,
                 bool allow_rotation, const ImportedMaterial& material, const Actor& actor);
  // A further version for an imported key.
  Changed ImportVersion(const Id& mount, std::string_view name, const ImportedMaterial& material,
                        const Actor& actor);
  // The key as the database has it, under a MAC by coffer-meta (docs/formats.md): no key in the
  // clear, and of use only where this token's masters are. kInvalid where a version is resident.
  Result<Bytes> Backup(Lane& lane, const Id& mount, std::string_view name);
  // A key of its own from a backup, called `name` where that is given. kInvalid, and nothing is
  // changed: a backup of another token or a damaged one, versions whose master is gone, a name that
  // is taken. `force` replaces the key of that name, but destroys no version that the backup lacks
  // unless the key may be deleted. AES-GCM and ChaCha20-Poly1305 versions decrypt only: the next
  // encryption rotates the key.
  Changed Restore(const Id& mount, const std::optional<KeyName>& name, ByteView backup, bool force);
  // The key that imports are wrapped for; made at the first call.
  Result<ImportWrapping> ImportWrappingKey();
  // Destroys it, with everything that was wrapped for it and not yet imported.
  Status DestroyImportWrappingKey();
  // The version of an exportable key, wrapped in the token for the holder of `destination`, in the
  // form that Import() takes.
  Result<Bytes> Export(const Key& key, const KeyVersion& version,
                       const crypto::PublicKey& destination, crypto::HashAlgorithm hash);
  // A new key that `base`, an EC key, agrees on with the other party's `peer`.
  Changed Agree(const Id& mount, const KeyName& name, KeyType type, const Key& base,
                const KeyVersion& version, const crypto::PublicKey& peer, const Actor& actor);
  // Keeps the certificates with the version (0: the latest), in place of those it has. `chain` is
  // for the version's public key, which the caller need not have checked.
  Changed SetCertificates(const Id& mount, std::string_view name, std::int64_t version,
                          const crypto::CertificateChain& chain);
  // Destroys the key, whatever its settings; kNotFound. kCorrupt if its rows failed their check:
  // they are then removed, but no object in the token is destroyed on their word.
  Status Destroy(const Id& mount, std::string_view name);
  // Every key of the mount, whatever its settings.
  Status DeleteMount(const Id& mount);
  // Sets the witness. Call it before the first use; the witness must outlive the key ring.
  void SetRotationWitness(RotationWitness& witness);
  // Begins to rotate the keys whose auto_rotate_period has passed, on the custodian's thread, with
  // other work between any two. Does nothing while keys of an earlier call are left.
  Status RotateDue(SystemTime now);

  // Derives the key of look-up hashes in the token: coffer-meta's MAC over `label`, 32 bytes.
  // Called at the start only.
  Result<SecretBytes> DeriveLookupKey(std::string_view label);

  // Checks the MACs of every key, opens one version under each master and looks for the object of
  // each resident version. It takes long where there are many keys.
  Result<std::vector<UnusableVersion>> FindUnusable();

  // The CKA_IDs of all token objects that a key's version names, read from rows whose MACs hold.
  // kCorrupt, naming the key, where one's do not: nothing may then be called an orphan.
  Result<std::set<Bytes>> NamedResidents();

  // One sentence for each thing that the flags in StartPolicy caused at this start.
  const std::vector<std::string>& Consequences() const;
  // False while the token cannot be reached.
  bool Ready() const;
  // Token objects that name this database and belong to no key, as counted at the start.
  std::size_t OrphanedResidents() const;
  // Over all instances. Any thread.
  HandleCounts Handles() const;
  pkcs11::Statistics TokenCounts() const;
  // The identity of the database: random, made once.
  const Id& DatabaseId() const;

 private:
  struct Impl;
  explicit KeyRing(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::keyring
