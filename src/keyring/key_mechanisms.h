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
  std::string_view master;  // class of masters that wraps it
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

// The masters' class for a spec's key of this use.
const MasterClass& ClassOf(const KeySpec& spec, Use use);

// The use of the spec's first key; the second key of a version is always for HMAC.
Use MainUse(const KeySpec& spec);

// Bytes of a spec's secret key (not for pairs).
unsigned long SecretOctets(const KeySpec& spec);

// Usage flags and allowed mechanisms of an unwrapped key: every flag that the class of object has
// and the master's template leaves open is set, because tokens take omitted ones for true.
pkcs11::Attributes UsageOf(const KeySpec& spec, Use use);

// The public key's template for C_GenerateKeyPair, with the parameters of the pair.
pkcs11::Attributes NewPublicTemplate(const KeyTypeInfo& info);
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
