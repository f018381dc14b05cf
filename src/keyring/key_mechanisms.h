#pragma once

#include <optional>
#include <span>

#include "coffer/base/result.h"
#include "coffer/crypto/public_key.h"
#include "coffer/keyring/token.h"
#include "coffer/pkcs11/attributes.h"
#include "coffer/pkcs11/session.h"
#include "keyring/masters.h"

namespace coffer::keyring {

// The token's side of the table of key types (coffer/keyring/key_type.h): mechanisms, masters and
// usage flags, as data.

// How a new key of this kind is made in a token.
struct KeyMaking {
  Family family{};
  pkcs11::MechanismType generator{};
  KeyKind kind{};  // of masters that wrap it
  pkcs11::KeyType key_type{};
  bool pair = false;
  std::string_view missing;  // what a token without `generator` lacks, in words
};
// The making of a spec's key; for a `derived` spec that of its base key, which depends on the KDF
// alone.
const KeyMaking& MakingOf(const KeySpec& spec);
// The KDFs that a `derived` key may get, the preferred one first.
std::span<const Kdf> Kdfs();
// The use of a key of this family that is not `derived`.
Use MainUse(Family family);

// The class of masters for a spec's key of this use; kInternal where there is none.
Result<const MasterClass*> ClassOf(const KeySpec& spec, Use use);

// The use of the spec's first key; the second key of a version is always for HMAC.
Use MainUse(const KeySpec& spec);

// Bytes of a spec's secret key (not for pairs).
unsigned long SecretOctets(const KeySpec& spec);

// A key's usage flags. A key that signs verifies nothing, since the server does
// that itself.
struct UsageFlags {
  Flag encrypt;
  Flag decrypt;
  Flag sign;
  Flag unwrap;
  Flag derive;
};
inline constexpr UsageFlags kNoAbility{
    .encrypt = kOff, .decrypt = kOff, .sign = kOff, .unwrap = kOff, .derive = kOff};
inline constexpr UsageFlags kEncryptsAndDecrypts{
    .encrypt = kOn, .decrypt = kOn, .sign = kOff, .unwrap = kOff, .derive = kOff};
inline constexpr UsageFlags kDecrypts{
    .encrypt = kOff, .decrypt = kOn, .sign = kOff, .unwrap = kOff, .derive = kOff};
inline constexpr UsageFlags kSigns{
    .encrypt = kOff, .decrypt = kOff, .sign = kOn, .unwrap = kOff, .derive = kOff};
inline constexpr UsageFlags kUnwraps{
    .encrypt = kOff, .decrypt = kOff, .sign = kOff, .unwrap = kOn, .derive = kOff};
inline constexpr UsageFlags kDerives{
    .encrypt = kOff, .decrypt = kOff, .sign = kOff, .unwrap = kOff, .derive = kOn};

// The abilities and mechanisms of one use of a spec's key; kInternal where it has no such use.
struct TokenUse {
  UsageFlags abilities;
  AllowedMechanisms mechanisms;
};
Result<TokenUse> TokenUseOf(const KeySpec& spec, Use use);

// DER object identifier of the type's curve (CKA_EC_PARAMS).
ByteView CurveOf(KeyType type);
// The mechanism and the type of the keys of a cipher.
pkcs11::MechanismType MechanismOf(Cipher cipher);
pkcs11::KeyType KeyTypeOf(Cipher cipher);

// The stored public key of a pair that was just made, read from the token's object.
Result<crypto::PublicKey::Shared> ReadPublicKey(pkcs11::Session& session,
                                                pkcs11::ObjectHandle public_key,
                                                const KeyTypeInfo& info);

crypto::Curve EcdsaCurveOf(KeyType type);

// The token's mechanism with its parameters; `room` keeps them. Nothing where no mechanism does it.
std::optional<pkcs11::Mechanism> MechanismFor(const SignMechanism& how, Bytes& room);

}  // namespace coffer::keyring
