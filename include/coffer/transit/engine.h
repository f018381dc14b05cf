#pragma once

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

// Where a call comes from: the mount it names, the calling thread's token instance, and who is
// behind it.
struct Caller {
  Id mount;
  std::size_t worker = 0;
  keyring::Actor actor;
};

// version and payload of "vault:v<version>:<base64 payload>"; the text form is the api room's.
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

// How a message is signed; what does not concern the key's type is ignored.
struct SignOptions {
  enum class Padding { kPss, kPkcs1 };
  enum class Marshaling { kAsn1, kJws };                                       // DER; r || s
  std::optional<crypto::HashAlgorithm> hash = crypto::HashAlgorithm::kSha256;  // nothing: none
  bool prehashed = false;  // the input is the digest
  Padding padding = Padding::kPss;
  Marshaling marshaling = Marshaling::kAsn1;
  // PSS: kSaltAuto is the longest that fits, and any in verification; kSaltHash the hash's length.
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

// A message's authentication code by a key's HMAC key, or by its CMAC key.
struct MacOptions {
  enum class Kind { kHmac, kCmac };
  Kind kind = Kind::kHmac;
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha256;  // HMAC
  std::optional<std::int64_t> octets;                           // CMAC: cut to so many
};

// What can be said of a ciphertext without opening it.
struct Inspection {
  int version = 0;
  int latest_version = 0;
  keyring::KeyType type{};
  std::optional<std::size_t> plaintext_octets;  // where the length shows it
  bool needs_rewrap = false;                    // another version encrypts now
  bool usable = false;                          // min_decryption_version allows it
};

enum class RandomSource { kPlatform, kSeal, kAll };

struct DataKey {
  Ciphertext ciphertext;
  SecretBytes plaintext;
};

struct EngineSettings {
  // ECDSA signatures are verified before they are given out, too (docs/adr/0011).
  bool verify_ecdsa = false;
};

// The transit operations on keys of a mount (vault-api 1). Bytes in, bytes out: no JSON, base64 or
// SQL. Thread-safe; each worker index by its own thread. The outer Result is the whole request's,
// the inner one an item's. An absent key is Refusal::kNoKeyToUse.
class Engine {
 public:
  Engine(keyring::KeyRing& keys, coffer::Random& random, const EngineSettings& settings = {});

  // Registers the automatic rotation of keys whose period has passed.
  void AddJobs(Scheduler& scheduler);

  using Encrypted = Result<std::vector<Result<Ciphertext>>>;
  using Decrypted = Result<std::vector<Result<SecretBytes>>>;
  // `upsert`: the key to make where it is absent; nothing: it must exist.
  Encrypted Encrypt(const Caller& caller, std::string_view key, std::span<PlaintextItem> items,
                    const std::optional<keyring::CreateOptions>& upsert);
  Decrypted Decrypt(const Caller& caller, std::string_view key,
                    std::span<const CiphertextItem> items);
  // Decrypts and encrypts anew, also where the ciphertext is of the latest version already.
  Encrypted Rewrap(const Caller& caller, std::string_view key,
                   std::span<const CiphertextItem> items);
  // `bits`: 128, 256 or 512.
  Result<DataKey> GenerateDataKey(const Caller& caller, std::string_view key, std::int64_t bits,
                                  std::int64_t key_version, ByteView associated_data,
                                  ByteView context = {});

  // RSA and Ed25519 signatures were verified before they are given out, ECDSA ones by the setting.
  Result<std::vector<Result<Signature>>> Sign(const Caller& caller, std::string_view key,
                                              std::span<const SignItem> items,
                                              const SignOptions& options);
  // A wrong signature is false, a malformed one an error.
  Result<std::vector<Result<bool>>> Verify(const Caller& caller, std::string_view key,
                                           std::span<const VerifyItem> items,
                                           const SignOptions& options);
  Result<std::vector<Result<Signature>>> Mac(const Caller& caller, std::string_view key,
                                             std::span<const SignItem> items,
                                             const MacOptions& options);
  Result<std::vector<Result<bool>>> VerifyMac(const Caller& caller, std::string_view key,
                                              std::span<const VerifyItem> items,
                                              const MacOptions& options);
  // No token call, and no plaintext.
  Result<std::vector<Result<Inspection>>> Inspect(const Caller& caller, std::string_view key,
                                                  std::span<const CiphertextItem> items);
  // 1 to 131072 octets.
  Result<SecretBytes> RandomBytes(const Caller& caller, RandomSource source, std::int64_t count);

  keyring::KeyRing& Keys() { return keys_; }

 private:
  keyring::KeyRing& keys_;
  coffer::Random& random_;
  const EngineSettings settings_;
};

}  // namespace coffer::transit
