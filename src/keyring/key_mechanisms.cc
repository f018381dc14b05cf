#include "keyring/key_mechanisms.h"

#include <algorithm>
#include <array>

#include "coffer/pkcs11/parameters.h"

namespace coffer::keyring {
namespace {

using crypto::HashAlgorithm;
using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;
using P11Type = pkcs11::KeyType;

constexpr std::string_view kChaCha20Keys = "ChaCha20 keys (PKCS#11 3.0 CKM_CHACHA20_KEY_GEN)";

// The rows are in the order of Family.
constexpr std::array kMakings{
    KeyMaking{Family::kAesGcm, MechanismType::kAesKeyGen, "aes", P11Type::kAes, false, "AES keys"},
    KeyMaking{Family::kRsa, MechanismType::kRsaPkcsKeyPairGen, "rsa", P11Type::kRsa, true,
              "RSA keys"},
    KeyMaking{Family::kEcdsa, MechanismType::kEcKeyPairGen, "ec", P11Type::kEc, true,
              "EC keys of this curve"},
    KeyMaking{Family::kEd25519, MechanismType::kEcEdwardsKeyPairGen, "ed25519", P11Type::kEcEdwards,
              true, "Ed25519 keys (PKCS#11 3.0 CKM_EC_EDWARDS_KEY_PAIR_GEN)"},
    KeyMaking{Family::kHmac, MechanismType::kGenericSecretKeyGen, "hmac", P11Type::kGenericSecret,
              false, "generic secret keys"},
    KeyMaking{Family::kCmac, MechanismType::kAesKeyGen, "aes", P11Type::kAes, false, "AES keys"},
    KeyMaking{Family::kChaCha20, MechanismType::kChaCha20KeyGen, "chacha20", P11Type::kChaCha20,
              false, kChaCha20Keys},
};

// The base keys of `derived` keys.
struct BaseMaking {
  KeyMaking making;
  MechanismType derivation;
};
constexpr BaseMaking kAesEcbBase{
    {Family::kAesGcm, MechanismType::kAesKeyGen, "aes-derive", P11Type::kAes, false, "AES keys"},
    MechanismType::kAesEcbEncryptData};
constexpr BaseMaking kHkdfBase{{Family::kAesGcm, MechanismType::kHkdfKeyGen, "hkdf", P11Type::kHkdf,
                                false, "HKDF keys (PKCS#11 3.0 CKM_HKDF_KEY_GEN)"},
                               MechanismType::kHkdfDerive};
const BaseMaking& BaseOf(Kdf kdf) { return kdf == Kdf::kHkdfSha256 ? kHkdfBase : kAesEcbBase; }

// The flags and mechanisms that one use of a family's keys needs; every other flag is off.
struct Usage {
  Family family;
  Use use;
  std::array<AttributeType, 2> on;  // one flag twice where there is only one
  std::array<MechanismType, 5> mechanisms;
  std::size_t mechanism_count;
};

constexpr std::array kUsages{
    Usage{Family::kAesGcm,
          Use::kCipher,
          {AttributeType::kEncrypt, AttributeType::kDecrypt},
          {MechanismType::kAesGcm},
          1},
    Usage{Family::kChaCha20,
          Use::kCipher,
          {AttributeType::kEncrypt, AttributeType::kDecrypt},
          {MechanismType::kChaCha20Poly1305},
          1},
    Usage{Family::kCmac,
          Use::kCmac,
          {AttributeType::kSign, AttributeType::kSign},
          {MechanismType::kAesCmac},
          1},
    Usage{Family::kRsa,
          Use::kCipher,
          {AttributeType::kDecrypt, AttributeType::kDecrypt},
          {MechanismType::kRsaX509},
          1},
    Usage{Family::kRsa,
          Use::kSign,
          {AttributeType::kSign, AttributeType::kSign},
          {MechanismType::kRsaPkcs, MechanismType::kRsaPkcsPss, MechanismType::kRsaX509},
          3},
    Usage{Family::kEcdsa,
          Use::kSign,
          {AttributeType::kSign, AttributeType::kSign},
          {MechanismType::kEcdsa},
          1},
    Usage{Family::kEcdsa,
          Use::kAgree,
          {AttributeType::kDerive, AttributeType::kDerive},
          {MechanismType::kEcdh1Derive},
          1},
    Usage{Family::kEd25519,
          Use::kSign,
          {AttributeType::kSign, AttributeType::kSign},
          {MechanismType::kEddsa},
          1},
    Usage{Family::kHmac,
          Use::kHmac,
          {AttributeType::kSign, AttributeType::kSign},
          {MechanismType::kSha1Hmac, MechanismType::kSha224Hmac, MechanismType::kSha256Hmac,
           MechanismType::kSha384Hmac, MechanismType::kSha512Hmac},
          5},
};

Usage UsageRow(const KeySpec& spec, Use use) {
  if (use == Use::kDerive) {
    return {Family::kAesGcm,
            use,
            {AttributeType::kDerive, AttributeType::kDerive},
            {BaseOf(spec.kdf).derivation},
            1};
  }
  // The second key of every family is an HMAC key.
  const Family family = use == Use::kHmac ? Family::kHmac : InfoOf(spec.type).family;
  const auto* const found = std::ranges::find_if(
      kUsages, [&](const Usage& row) { return row.family == family && row.use == use; });
  return found == kUsages.end() ? kUsages.back() : *found;
}

// DER object identifiers of the curves (CKA_EC_PARAMS).
ByteView CurveOf(KeyType type) {
  static constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2a, 0x86, 0x48,
                                                      0xce, 0x3d, 0x03, 0x01, 0x07};
  static constexpr std::array<std::uint8_t, 7> kP384{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
  static constexpr std::array<std::uint8_t, 7> kP521{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
  static constexpr std::array<std::uint8_t, 5> kEd25519{0x06, 0x03, 0x2b, 0x65, 0x70};
  switch (type) {
    case KeyType::kEcdsaP256:
      return kP256;
    case KeyType::kEcdsaP384:
      return kP384;
    case KeyType::kEcdsaP521:
      return kP521;
    default:
      return kEd25519;
  }
}

// The token's names of a hash: its digest and its HMAC.
struct HashMechanism {
  HashAlgorithm hash;
  MechanismType digest;
  MechanismType hmac;
};
constexpr std::array kHashes{
    HashMechanism{HashAlgorithm::kSha1, MechanismType::kSha1, MechanismType::kSha1Hmac},
    HashMechanism{HashAlgorithm::kSha224, MechanismType::kSha224, MechanismType::kSha224Hmac},
    HashMechanism{HashAlgorithm::kSha256, MechanismType::kSha256, MechanismType::kSha256Hmac},
    HashMechanism{HashAlgorithm::kSha384, MechanismType::kSha384, MechanismType::kSha384Hmac},
    HashMechanism{HashAlgorithm::kSha512, MechanismType::kSha512, MechanismType::kSha512Hmac},
};

}  // namespace

crypto::Curve EcdsaCurveOf(KeyType type) {
  if (type == KeyType::kEcdsaP384) return crypto::Curve::kP384;
  return type == KeyType::kEcdsaP521 ? crypto::Curve::kP521 : crypto::Curve::kP256;
}

Use MainUse(Family family) {
  switch (family) {
    case Family::kAesGcm:
    case Family::kChaCha20:
      return Use::kCipher;
    case Family::kHmac:
      return Use::kHmac;
    case Family::kCmac:
      return Use::kCmac;
    default:
      return Use::kSign;
  }
}

const KeyMaking& MakingOf(const KeySpec& spec) {
  if (spec.derived) return BaseOf(spec.kdf).making;
  return kMakings.at(static_cast<std::size_t>(InfoOf(spec.type).family));
}

std::span<const Kdf> Kdfs() {
  static constexpr std::array kPreferred{Kdf::kHkdfSha256, Kdf::kAesEcb1};
  return kPreferred;
}

MechanismType MechanismOf(Cipher cipher) {
  return cipher == Cipher::kChaCha20Poly1305 ? MechanismType::kChaCha20Poly1305
                                             : MechanismType::kAesGcm;
}

P11Type KeyTypeOf(Cipher cipher) {
  return cipher == Cipher::kChaCha20Poly1305 ? P11Type::kChaCha20 : P11Type::kAes;
}

Use MainUse(const KeySpec& spec) {
  return spec.derived ? Use::kDerive : MainUse(InfoOf(spec.type).family);
}

const MasterClass& ClassOf(const KeySpec& spec, Use use) {
  // The second key of a version has the same master whatever the first one's is.
  if (use == Use::kHmac && InfoOf(spec.type).family != Family::kHmac) return HmacClass();
  const std::string_view name = MakingOf(spec).master;
  return spec.exportable ? ClassNamed("export-" + std::string(name)) : ClassNamed(name);
}

unsigned long SecretOctets(const KeySpec& spec) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  if (info.family == Family::kHmac) return static_cast<unsigned long>(spec.hmac_octets);
  // It makes AES-256 keys on the way, whatever the derived ones are. HKDF's base is as long as the
  // type's own keys, so that those of another server can be imported.
  if (spec.derived && spec.kdf != Kdf::kHkdfSha256) return 32;
  return static_cast<unsigned long>(info.bits / 8);
}

Attributes UsageOf(const KeySpec& spec, Use use) {
  static constexpr std::array kSecretFlags{AttributeType::kEncrypt, AttributeType::kDecrypt,
                                           AttributeType::kSign, AttributeType::kVerify,
                                           AttributeType::kDerive};
  static constexpr std::array kPrivateFlags{AttributeType::kDecrypt, AttributeType::kSign,
                                            AttributeType::kSignRecover, AttributeType::kUnwrap,
                                            AttributeType::kDerive};
  const MasterClass& master_class = ClassOf(spec, use);
  const bool secret = master_class.object_class == ObjectClass::kSecretKey;
  const Attributes pinned = UnwrapTemplate(master_class);
  const Usage row = UsageRow(spec, use);
  Attributes usage;
  for (const AttributeType flag : secret ? kSecretFlags : kPrivateFlags) {
    if (!pinned.Contains(flag)) usage.Add(flag, std::ranges::count(row.on, flag) > 0);
  }
  usage.AddMechanisms(AttributeType::kAllowedMechanisms,
                      std::span<const MechanismType>(row.mechanisms.data(), row.mechanism_count));
  return usage;
}

Attributes NewPublicTemplate(const KeyTypeInfo& info) {
  Attributes attributes;
  attributes.Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, false)
      .Add(AttributeType::kEncrypt, false)
      .Add(AttributeType::kWrap, false)
      .Add(AttributeType::kVerify, info.signs);
  if (info.family == Family::kRsa) {
    static constexpr std::array<std::uint8_t, 3> kExponent{1, 0, 1};
    attributes.Add(AttributeType::kModulusBits, static_cast<unsigned long>(info.bits))
        .Add(AttributeType::kPublicExponent, ByteView(kExponent));
  } else {
    attributes.Add(AttributeType::kEcParams, CurveOf(info.type));
  }
  return attributes;
}

Result<crypto::PublicKey::Shared> ReadPublicKey(pkcs11::Session& session,
                                                pkcs11::ObjectHandle public_key,
                                                const KeyTypeInfo& info) {
  if (info.family == Family::kRsa) {
    COFFER_ASSIGN(const Bytes modulus, session.GetBytes(public_key, AttributeType::kModulus));
    COFFER_ASSIGN(const Bytes exponent,
                  session.GetBytes(public_key, AttributeType::kPublicExponent));
    return crypto::PublicKey::FromRsa(modulus, exponent);
  }
  COFFER_ASSIGN(const Bytes point, session.GetBytes(public_key, AttributeType::kEcPoint));
  if (info.family == Family::kEd25519) return crypto::PublicKey::FromEd25519(point);
  return crypto::PublicKey::FromEcPoint(EcdsaCurveOf(info.type), point);
}

std::optional<pkcs11::Mechanism> MechanismFor(const SignMechanism& how, Bytes& room) {
  const auto* const hash = std::ranges::find(kHashes, how.hash, &HashMechanism::hash);
  const bool known = hash != kHashes.end();
  switch (how.kind) {
    case SignMechanism::Kind::kEcdsa:
      return MechanismType::kEcdsa;
    case SignMechanism::Kind::kEddsa:
      return MechanismType::kEddsa;
    case SignMechanism::Kind::kRsaPkcs1:
      return MechanismType::kRsaPkcs;
    case SignMechanism::Kind::kRsaRaw:
      return MechanismType::kRsaX509;
    case SignMechanism::Kind::kCmac:
      return MechanismType::kAesCmac;
    case SignMechanism::Kind::kHmac:
      if (!known) return std::nullopt;
      return hash->hmac;
    case SignMechanism::Kind::kRsaPss:
      if (!known) return std::nullopt;
      room = pkcs11::RsaPssParameters(hash->digest, static_cast<unsigned long>(how.salt_octets));
      return pkcs11::Mechanism(MechanismType::kRsaPkcsPss, room);
  }
  return std::nullopt;
}

}  // namespace coffer::keyring
