#pragma once

// The transit engine: encrypting, signing and the other operations that use keys without showing
// them. The program's wiring owns one Engine; the key ring and the source of random numbers outlive
// it. Any thread, with its own lane. Errors: the outer Result fails for a whole request (no such
// key, token lost), the inner ones for single items; an absent key is Refusal::kNoKeyToUse.
// Example: `engine.Encrypt({mount, lane, actor}, "k", items, std::nullopt)` has one Result for
// each item, in order.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/base/scheduler.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/digest.h"
#include "coffer/keyring/key_ring.h"

namespace coffer::transit {

// The origin of a call: its mount, the lane of the calling thread, and the actor on whose behalf it
// is made.
struct Caller {
  Id mount;
  keyring::Lane* lane = nullptr;  // the calling thread's; never null in a call
  keyring::Actor actor;
};

using FoundKey = Result<std::shared_ptr<const keyring::Key>>;

// The key of an encryption as one look-up has found it, and what the encryption will change.
struct EncryptionTarget {
  std::shared_ptr<const keyring::Key> key;  // null: it does not exist

  bool Exists() const { return key != nullptr; }
  // True if the key came back from an older database: it is rotated before it encrypts.
  bool MustRotate() const {
    return Exists() && key->settings.rotation_required && !key->settings.soft_deleted;
  }
  bool ChangesKeys() const { return !Exists() || MustRotate(); }
};

// The version and the payload of "vault:v<version>:<base64 payload>". The api room writes and reads
// that text.
struct Ciphertext {
  int version = 0;
  Bytes payload;
};

struct PlaintextItem {
  SecretBytes plaintext;
  Bytes associated_data;
  std::int64_t key_version = 0;  // 0: latest
  Bytes context;                 // derived keys
  std::size_t number = 0;        // in its request, for errors that name it
};

struct CiphertextItem {
  std::int64_t version = 0;
  Bytes payload;
  Bytes associated_data;
  std::int64_t key_version = 0;  // rewrap only: the version to move to, 0: latest
  Bytes context;                 // derived keys
  std::size_t number = 0;        // as PlaintextItem's
};

// How a message is signed. Options that do not apply to the type of the key are ignored.
struct SignOptions {
  enum class Padding { kPss, kPkcs1 };
  enum class Marshaling { kAsn1, kJws };                                       // DER; r || s
  std::optional<crypto::HashAlgorithm> hash = crypto::HashAlgorithm::kSha256;  // nothing: none
  bool prehashed = false;  // the input is the digest
  Padding padding = Padding::kPss;
  Marshaling marshaling = Marshaling::kAsn1;
  // The length of the salt of PSS. kSaltAuto: the longest that fits when signing, any length when
  // verifying. kSaltHash: the length of the hash.
  std::int64_t salt_octets = kSaltAuto;
  bool certificate_request = false;  // min_encryption_version does not bind it

  static constexpr std::int64_t kSaltAuto = 0;
  static constexpr std::int64_t kSaltHash = -1;
};

struct SignItem {
  Bytes input;
  std::int64_t key_version = 0;  // 0: latest
};
struct Signature {
  int version = 0;
  Bytes octets;
};
struct VerifyItem {
  std::int64_t version = 0;
  Bytes signature;
  Bytes input;
};

// How a message's authentication code is made: with the HMAC key of a key, or with its CMAC key.
struct MacOptions {
  enum class Kind { kHmac, kCmac };
  Kind kind = Kind::kHmac;
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha256;  // HMAC
  std::optional<std::int64_t> octets;  // CMAC: the code is cut to this many bytes
};

// The facts about a ciphertext that are known without decrypting it.
struct Inspection {
  int version = 0;
  int latest_version = 0;
  keyring::KeyType type{};
  std::optional<std::size_t> plaintext_octets;  // if the length shows it
  bool needs_rewrap = false;                    // another version encrypts now
  bool usable = false;                          // min_decryption_version allows it
};

enum class RandomSource { kPlatform, kSeal, kAll };

struct DataKey {
  Ciphertext ciphertext;
  SecretBytes plaintext;
};

struct EngineSettings {
  // True if ECDSA signatures, too, are verified before they are given out
  // (docs/adr/0011-verify-before-answering.md).
  bool verify_ecdsa = false;
  // True if keys may be created exportable and wrapped for other servers (`key_export =
  // "wrapped"`).
  bool exports_keys = false;
};

// The transit operations on the keys of a mount, and the only door to these keys. It takes and
// returns bytes; JSON and base64 are the api room's, SQL the stores'. Any thread, with its own
// lane.
class Engine {
 public:
  Engine(keyring::KeyRing& keys, coffer::Random& random, const EngineSettings& settings = {});

  // Registers the automatic rotation of keys whose period has passed.
  void AddJobs(Scheduler& scheduler);

  using Encrypted = Result<std::vector<Result<Ciphertext>>>;
  using Decrypted = Result<std::vector<Result<SecretBytes>>>;
  // Looks the key up. The result is passed to the encryption that follows on the same thread, so
  // that the key is looked up once.
  Result<EncryptionTarget> FindTarget(const Caller& caller, std::string_view key);
  // `upsert` says how to make the key if it is absent; without it the key must exist. `target`
  // may be null.
  Encrypted Encrypt(const Caller& caller, std::string_view key, std::span<PlaintextItem> items,
                    const std::optional<keyring::CreateOptions>& upsert,
                    const EncryptionTarget* target = nullptr);
  Decrypted Decrypt(const Caller& caller, std::string_view key,
                    std::span<const CiphertextItem> items);
  // Decrypts and encrypts again. A ciphertext that has the wanted version already stays as it is if
  // `skip_current` says so.
  Encrypted Rewrap(const Caller& caller, std::string_view key,
                   std::span<const CiphertextItem> items, bool skip_current = false);
  // `bits` is 128, 256 or 512.
  Result<DataKey> GenerateDataKey(const Caller& caller, std::string_view key, std::int64_t bits,
                                  std::int64_t key_version, ByteView associated_data,
                                  ByteView context = {});

  // RSA and Ed25519 signatures are verified before they are given out, ECDSA ones if EngineSettings
  // says so.
  Result<std::vector<Result<Signature>>> Sign(const Caller& caller, std::string_view key,
                                              std::span<const SignItem> items,
                                              const SignOptions& options);
  // A wrong signature is false; a malformed one is an error.
  Result<std::vector<Result<bool>>> Verify(const Caller& caller, std::string_view key,
                                           std::span<const VerifyItem> items,
                                           const SignOptions& options);
  Result<std::vector<Result<Signature>>> Mac(const Caller& caller, std::string_view key,
                                             std::span<const SignItem> items,
                                             const MacOptions& options);
  Result<std::vector<Result<bool>>> VerifyMac(const Caller& caller, std::string_view key,
                                              std::span<const VerifyItem> items,
                                              const MacOptions& options);
  // Makes no call into the token and sees no plaintext.
  Result<std::vector<Result<Inspection>>> Inspect(const Caller& caller, std::string_view key,
                                                  std::span<const CiphertextItem> items);
  // `count` is from 1 to 131072 bytes.
  Result<SecretBytes> RandomBytes(const Caller& caller, RandomSource source, std::int64_t count);

  // The mount's keys themselves (keys.cc); functions and errors as the key ring's.
  FoundKey Find(const Caller& caller, std::string_view key);
  Result<std::vector<std::string>> List(const Caller& caller, std::string_view after,
                                        std::int64_t limit);
  Result<keyring::KeyRing::Created> Create(const Caller& caller, const keyring::KeyName& name,
                                           const keyring::CreateOptions& options);
  FoundKey Rotate(const Caller& caller, std::string_view key);
  FoundKey Configure(const Caller& caller, std::string_view key,
                     const keyring::ConfigChange& change);
  FoundKey Trim(const Caller& caller, std::string_view key, std::int64_t min_available_version);
  FoundKey SetSoftDeleted(const Caller& caller, std::string_view key, bool deleted);
  Status Delete(const Caller& caller, std::string_view key);
  FoundKey Import(const Caller& caller, const keyring::KeyName& name,
                  const keyring::CreateOptions& options, bool allow_rotation,
                  const keyring::ImportedMaterial& material);
  FoundKey ImportVersion(const Caller& caller, std::string_view key,
                         const keyring::ImportedMaterial& material);
  Result<keyring::ImportWrapping> ImportWrappingKey();
  Status DestroyImportWrappingKey();
  Result<Bytes> Export(const keyring::Key& key, const keyring::KeyVersion& version,
                       const crypto::PublicKey& destination, crypto::HashAlgorithm hash);
  FoundKey Agree(const Caller& caller, const keyring::KeyName& name, keyring::KeyType type,
                 const keyring::Key& base, const keyring::KeyVersion& version,
                 const crypto::PublicKey& peer);
  FoundKey SetCertificates(const Caller& caller, std::string_view key, std::int64_t version,
                           const crypto::CertificateChain& chain);
  // True if keys may be created exportable, and exported.
  bool ExportsKeys() const { return settings_.exports_keys; }
  Result<Bytes> Backup(const Caller& caller, std::string_view key);
  FoundKey Restore(const Caller& caller, const std::optional<keyring::KeyName>& name,
                   ByteView backup, bool force);
  // Every key of the mount, whatever its settings.
  Status DeleteMount(const Id& mount);

 private:
  keyring::KeyRing& keys_;
  coffer::Random& random_;
  const EngineSettings settings_;
};

}  // namespace coffer::transit
