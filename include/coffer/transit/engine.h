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
};

struct CiphertextItem {
  std::int64_t version = 0;
  Bytes payload;
  Bytes associated_data;
  std::int64_t key_version = 0;  // rewrap only: the version to move to, 0: latest
};

enum class RandomSource { kPlatform, kSeal, kAll };

struct DataKey {
  Ciphertext ciphertext;
  SecretBytes plaintext;
};

// The transit operations on keys of a mount (vault-api 1). Bytes in, bytes out: no JSON, base64 or
// SQL. Thread-safe; each worker index by its own thread. The outer Result is the whole request's,
// the inner one an item's. An absent key is kInvalid "encryption key not found".
class Engine {
 public:
  Engine(keyring::KeyRing& keys, coffer::Random& random);

  // Registers the automatic rotation of keys whose period has passed.
  void AddJobs(Scheduler& scheduler);

  using Encrypted = Result<std::vector<Result<Ciphertext>>>;
  using Decrypted = Result<std::vector<Result<SecretBytes>>>;
  // `upsert`: the type of the key to make where it is absent; nothing: it must exist.
  Encrypted Encrypt(const Caller& caller, std::string_view key, std::span<PlaintextItem> items,
                    std::optional<keyring::KeyType> upsert);
  Decrypted Decrypt(const Caller& caller, std::string_view key,
                    std::span<const CiphertextItem> items);
  // Decrypts and encrypts anew, also where the ciphertext is of the latest version already.
  Encrypted Rewrap(const Caller& caller, std::string_view key,
                   std::span<const CiphertextItem> items);
  // `bits`: 128, 256 or 512, else kInvalid "invalid bit length".
  Result<DataKey> GenerateDataKey(const Caller& caller, std::string_view key, std::int64_t bits,
                                  std::int64_t key_version, ByteView associated_data);
  // 1 to 131072 octets, else kInvalid with the reference's text.
  Result<SecretBytes> RandomBytes(const Caller& caller, RandomSource source, std::int64_t count);

  keyring::KeyRing& Keys() { return keys_; }

 private:
  keyring::KeyRing& keys_;
  coffer::Random& random_;
};

}  // namespace coffer::transit
