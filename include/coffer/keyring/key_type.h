#pragma once

// The types of keys as data: what each is, what it may be used for, and how its versions are kept.
// Values and functions without any state; any thread. Errors: kKeyTypeUnknown and
// kKeyTypeUnsupported for names of types.
// Example: `if (InfoOf(key.type).encrypts) ...`

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "coffer/base/result.h"

namespace coffer::keyring {

// Values are stored in rows and MACs: never renumber.
enum class KeyType : std::uint8_t {
  kAes128Gcm96 = 1,
  kAes256Gcm96 = 2,
  kRsa2048 = 3,
  kRsa3072 = 4,
  kRsa4096 = 5,
  kEcdsaP256 = 6,
  kEcdsaP384 = 7,
  kEcdsaP521 = 8,
  kEd25519 = 9,
  kHmac = 10,
  kAes128Cmac = 11,
  kAes192Cmac = 12,
  kAes256Cmac = 13,
  kChaCha20Poly1305 = 14
};

// The kind of a key type: it decides the mechanisms that keys are made and used with.
enum class Family : std::uint8_t { kAesGcm, kRsa, kEcdsa, kEd25519, kHmac, kCmac, kChaCha20 };

// The algorithm of a secret key that encrypts: 96-bit nonce, 128-bit tag.
enum class Cipher : std::uint8_t { kAesGcm, kChaCha20Poly1305 };

// The properties of a key type. Every operation is allowed or refused by this table; the token's
// side of it (masters, mechanisms, usage flags) is keyring/key_mechanisms.h.
struct KeyTypeInfo {
  KeyType type{};
  std::string_view name;  // "aes256-gcm96": the wire name
  Family family{};
  int bits = 0;            // of the key, the modulus or the curve; 0: chosen at creation
  std::string_view curve;  // what a key document calls its public keys: "P-256", "rsa-2048"
  bool encrypts = false;
  bool signs = false;
  bool derives = false;          // may be created with `derived`
  bool convergent = false;       // may be created with `convergent_encryption`
  bool associated_data = false;  // its encryption authenticates more than the message
  bool cmac = false;

  Cipher cipher() const {
    return family == Family::kChaCha20 ? Cipher::kChaCha20Poly1305 : Cipher::kAesGcm;
  }
  // True if a version of this type may encrypt only a limited number of times, so that each
  // encryption is counted.
  bool Counted() const { return encrypts && !Asymmetric(); }
  bool Asymmetric() const {
    return family == Family::kRsa || family == Family::kEcdsa || family == Family::kEd25519;
  }
};

std::span<const KeyTypeInfo> KeyTypes();
const KeyTypeInfo& InfoOf(KeyType type);
// Nothing for a number that no release wrote.
const KeyTypeInfo* FindKeyType(std::int64_t number);

// The wire names. kKeyTypeUnknown; for a type that other servers of this API have,
// kKeyTypeUnsupported with the reason why this server has not.
Result<KeyType> ParseKeyType(std::string_view name);
std::string_view KeyTypeName(KeyType type);

// Lengths of HMAC keys in bytes, multiples of 8: the token's key wrap pads other lengths with
// zeros. A token may refuse a hash that is longer than the key (SoftHSM does), so the usual length
// suits them all.
inline constexpr int kHmacOctets = 64;  // of the second key of every version, too
inline constexpr int kMinHmacOctets = 32;
inline constexpr int kMaxHmacOctets = 512;

// The purpose of a version's object in the token. An object has one use.
enum class Use : std::uint8_t {
  kCipher = 1,  // AES-GCM or ChaCha20-Poly1305 both ways; raw RSA decryption
  kSign = 2,    // RSA, ECDSA, Ed25519
  kHmac = 3,    // the version's second key; for type hmac its only one
  kCmac = 4,
  kDerive = 5,  // the base of derived keys
  kAgree = 6    // ECDH
};

// The place that keeps a version's key.
enum class Custody : std::uint8_t {
  kWrapped = 1,    // a blob in the database that only the token opens
  kResident = 2,   // an object in the token
  kPublicOnly = 3  // nowhere here: an imported public key
};
std::string_view CustodyName(Custody custody);

// The way by which a version's key came here: kToken, if all of it was opened in the token;
// kProcess, if the AES key that it was wrapped under stood in this process. Stored in rows and
// MACs: never renumber.
enum class ImportedThrough : std::uint8_t { kNone = 0, kToken = 1, kProcess = 2 };
// "", "token", "process"
std::string_view ImportedThroughName(ImportedThrough through);

// How keys of a `derived` key come from its base key; recorded with each version and never changed.
// Stored in rows and MACs: never renumber.
enum class Kdf : std::uint8_t { kNone = 0, kAesEcb1 = 1, kHkdfSha256 = 2 };
// "", "coffer-kdf-aesecb-1", "hkdf_sha256"
std::string_view KdfName(Kdf kdf);
// Nothing for a number that no release wrote.
std::optional<Kdf> FindKdf(std::int64_t number);

// All that decides how a version is made, wrapped and unwrapped.
struct KeySpec {
  KeyType type = KeyType::kAes256Gcm96;
  bool derived = false;
  int hmac_octets = kHmacOctets;  // type hmac only
  Kdf kdf = Kdf::kNone;           // of a `derived` version; none: not made yet
  bool exportable = false;        // under a master that lets it be wrapped for another server
  bool resident = false;          // AES-GCM: an object of the token, and without an HMAC key
  friend bool operator==(const KeySpec&, const KeySpec&) = default;
};

}  // namespace coffer::keyring
