#pragma once

#include <atomic>
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

namespace coffer::keyring {

// Values are stored in rows and MACs: never renumber.
enum class KeyType : std::uint8_t { kAes128Gcm96 = 1, kAes256Gcm96 = 2 };

// The wire names: "aes128-gcm96", "aes256-gcm96". kInvalid "unknown key type X".
Result<KeyType> ParseKeyType(std::string_view name);
std::string_view KeyTypeName(KeyType type);

// Vault's GenericName: \w(([\w-.]+)?\w)?, at most 256 octets.
class KeyName {
 public:
  static Result<KeyName> Parse(std::string_view text);
  const std::string& Text() const { return text_; }

 private:
  explicit KeyName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Who changes a key and why: goes into the history and the version rows. Never a token.
struct Actor {
  std::string name;    // a token's display name and accessor, or a job's name
  std::string reason;  // "requested", "scheduled", "encryption limit", "rollback accepted"
};

// How many encryptions a version has been charged with, shared by all snapshots of a key. A bound
// from above: reserved in blocks before use, so that a crash over-counts and never under-counts.
// Thread-safe.
struct EncryptionCounter {
  std::atomic<std::int64_t> left_in_block{0};
  std::atomic<std::int64_t> reserved{0};  // as persisted
};

// What may be shown of a version; nothing secret.
struct VersionInfo {
  int version = 0;
  SystemTime created{};
  std::string created_by;
  std::string reason;
  std::string master;  // "aes-v1"
};

// A version's sealed material: wrapped blobs, and what is needed to unwrap them.
struct WrappedVersion {
  VersionInfo info;
  Bytes blob;       // RFC 5649 under the class's master
  Bytes hmac_blob;  // the version's HMAC key, likewise
  std::string hmac_master;
  Bytes mac;  // row MAC by coffer-meta
  std::shared_ptr<EncryptionCounter> counter;
};

// What an operator may change, all covered by the key row's MAC.
struct KeySettings {
  int min_decryption_version = 1;
  int min_encryption_version = 0;  // 0: any
  int min_available_version = 0;   // 0: nothing trimmed
  bool deletion_allowed = false;
  bool allow_plaintext_backup = false;
  bool soft_deleted = false;
  bool rotation_required = false;  // after an accepted rollback: rotate before the next encryption
  std::int64_t auto_rotate_period_seconds = 0;
};

// One key as of one generation: an immutable snapshot, shared between threads. A held snapshot
// stays usable while the key ring moves on; the next look-up sees the new one.
struct Key {
  Id id;
  Id mount;
  std::string name;
  KeyType type = KeyType::kAes256Gcm96;
  SystemTime created{};
  std::int64_t generation = 1;
  int latest_version = 1;
  KeySettings settings;
  std::map<int, WrappedVersion> versions;  // trimmed ones are absent

  // The version to encrypt with for a request of `requested` (0: latest), or kInvalid with the
  // reference's text (vault-api 1.3), also for a soft-deleted key.
  Result<const WrappedVersion*> ForEncryption(std::int64_t requested) const;
  // The version that made a ciphertext ("v0" means 1), or kInvalid with the reference's text.
  Result<const WrappedVersion*> ForDecryption(std::int64_t version) const;
};

}  // namespace coffer::keyring
