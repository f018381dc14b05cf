#pragma once

// Keys as immutable snapshots, and the rules that say which version a request may use. The key ring
// makes the snapshots and shares them; any thread may read one. Errors: refusals (base/refusal.h)
// for a version that may not be used.
// Example: `COFFER_ASSIGN(const KeyVersion* version, key.ForEncryption(requested));`

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/clock.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/crypto/public_key.h"
#include "coffer/keyring/key_type.h"

namespace coffer::keyring {

// The name of a key, checked. It has Vault's form GenericName, \w(([\w-.]+)?\w)?, and at most 256
// bytes.
class KeyName {
 public:
  static constexpr std::size_t kMaxBytes = 256;
  static Result<KeyName> Parse(std::string_view text);
  // True if the text would be a key's name if its length did not count.
  static bool IsGeneric(std::string_view text);
  const std::string& Text() const { return text_; }

 private:
  explicit KeyName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The maker of a version and the reason, for the version's row. Never holds an API token.
struct Actor {
  std::string name;    // a token's display name and accessor, or a job's name
  std::string reason;  // "requested", "scheduled", "encryption limit", "rotation required"
};

// The number of encryptions that a version has been charged with, shared by all snapshots of a key.
// It is never too low: encryptions are charged in blocks before they are made, so a crash counts
// too many and never too few. Thread-safe.
struct EncryptionCounter {
  std::atomic<std::int64_t> left_in_block{0};
  std::atomic<std::int64_t> reserved{0};  // as persisted
};

// The part of a version that clients may see; it holds nothing secret.
struct VersionInfo {
  int version = 0;
  SystemTime created{};
  std::string created_by;
  std::string reason;
  std::string master;  // "aes-v1"
};

// A version's sealed material: wrapped blobs or the place of a token object, and what is needed to
// use them.
struct KeyVersion {
  VersionInfo info;
  Custody custody = Custody::kWrapped;
  Kdf kdf = Kdf::kNone;
  Bytes blob;               // RFC 5649 under the class's master; empty: resident
  std::string hmac_master;  // empty: the version is its own HMAC key
  Bytes hmac_blob;          // the version's HMAC key, likewise
  Bytes spki;               // asymmetric types: SubjectPublicKeyInfo
  Bytes locator;            // resident: CKA_ID
  ImportedThrough imported_through = ImportedThrough::kNone;
  std::string certificate_chain;         // PEM, the key's own certificate first; mostly empty
  Bytes mac;                             // row MAC by coffer-meta
  crypto::PublicKey::Shared public_key;  // `spki`, parsed
  std::shared_ptr<EncryptionCounter> counter;
};

// The settings of a key, which an operator may change. The MAC of the key's row covers all of them.
struct KeySettings {
  int min_decryption_version = 1;
  int min_encryption_version = 0;  // 0: any
  int min_available_version = 0;   // 0: nothing trimmed
  bool deletion_allowed = false;
  bool allow_plaintext_backup = false;
  bool soft_deleted = false;
  bool rotation_required = false;  // after a rollback or a restore: rotate before it encrypts
  std::int64_t auto_rotate_period_seconds = 0;
  bool imported = false;  // the latest version was imported
  bool allow_imported_rotation = false;
};

// One key as of one generation: an immutable snapshot, shared between threads. A held snapshot
// stays usable while the key ring moves on; the next look-up sees the new one.
struct Key {
  Id id;
  Id mount;
  std::string name;
  KeyType type = KeyType::kAes256Gcm96;
  bool derived = false;
  bool convergent = false;
  bool exportable = false;
  bool resident = false;          // as CreateOptions has it
  int hmac_octets = kHmacOctets;  // type hmac: its key size
  SystemTime created{};
  std::int64_t generation = 1;
  int latest_version = 1;
  KeySettings settings;
  std::map<int, KeyVersion> versions;  // trimmed ones are absent

  const KeyTypeInfo& Info() const { return InfoOf(type); }
  // Spec() describes a new version of this key, SpecOf() one of its present versions.
  KeySpec Spec() const { return {type, derived, hmac_octets, Kdf::kNone, exportable, resident}; }
  KeySpec SpecOf(const KeyVersion& version) const {
    return {type, derived, hmac_octets, version.kdf, exportable};
  }

  // The version to encrypt or sign with for a request of `requested` (0: latest), or why there is
  // none, as for a soft-deleted key. None is below min_decryption_version.
  Result<const KeyVersion*> ForEncryption(std::int64_t requested) const;
  Result<const KeyVersion*> ForSigning(std::int64_t requested) const;
  Result<const KeyVersion*> ForMac(std::int64_t requested) const;
  // The version for a certificate request, for which min_encryption_version does not matter.
  Result<const KeyVersion*> ForCertificateRequest(std::int64_t requested) const;
  // The version that made a ciphertext ("v0" means 1), signature or MAC.
  Result<const KeyVersion*> ForDecryption(std::int64_t version) const;
  Result<const KeyVersion*> ForVerification(std::int64_t version) const;
  Result<const KeyVersion*> ForMacVerification(std::int64_t version) const;

 private:
  Result<const KeyVersion*> ToMake(std::int64_t requested, Purpose purpose) const;
  Result<const KeyVersion*> ThatMade(std::int64_t version, Purpose purpose) const;
  Result<const KeyVersion*> TooOld(std::int64_t version, Purpose purpose) const;
};

}  // namespace coffer::keyring
