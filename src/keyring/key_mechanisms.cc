#include "keyring/key_mechanisms.h"

#include <algorithm>
#include <array>
#include <string>

#include "coffer/pkcs11/parameters.h"

namespace coffer::keyring {
namespace {

using crypto::HashAlgorithm;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using P11Type = pkcs11::KeyType;

constexpr std::string_view kChaCha20Keys = "ChaCha20 keys (PKCS#11 3.0 CKM_CHACHA20_KEY_GEN)";

// The rows are in the order of Family.
constexpr std::array kMakings{
    KeyMaking{.family = Family::kAesGcm,
              .generator = MechanismType::kAesKeyGen,
              .kind = KeyKind::kAes,
              .key_type = P11Type::kAes,
              .missing = "AES keys"},
    KeyMaking{.family = Family::kRsa,
              .generator = MechanismType::kRsaPkcsKeyPairGen,
              .kind = KeyKind::kRsa,
              .key_type = P11Type::kRsa,
              .pair = true,
              .missing = "RSA keys"},
    KeyMaking{.family = Family::kEcdsa,
              .generator = MechanismType::kEcKeyPairGen,
              .kind = KeyKind::kEc,
              .key_type = P11Type::kEc,
              .pair = true,
              .missing = "EC keys of this curve"},
    KeyMaking{.family = Family::kEd25519,
              .generator = MechanismType::kEcEdwardsKeyPairGen,
              .kind = KeyKind::kEd25519,
              .key_type = P11Type::kEcEdwards,
              .pair = true,
              .missing = "Ed25519 keys (PKCS#11 3.0 CKM_EC_EDWARDS_KEY_PAIR_GEN)"},
    KeyMaking{.family = Family::kHmac,
              .generator = MechanismType::kGenericSecretKeyGen,
              .kind = KeyKind::kHmac,
              .key_type = P11Type::kGenericSecret,
              .missing = "generic secret keys"},
    KeyMaking{.family = Family::kCmac,
              .generator = MechanismType::kAesKeyGen,
              .kind = KeyKind::kAes,
              .key_type = P11Type::kAes,
              .missing = "AES keys"},
    KeyMaking{.family = Family::kChaCha20,
              .generator = MechanismType::kChaCha20KeyGen,
              .kind = KeyKind::kChaCha20,
              .key_type = P11Type::kChaCha20,
              .missing = kChaCha20Keys},
};

constexpr bool MakingsInOrder() {
  for (std::size_t i = 0; i < kMakings.size(); ++i) {
    if (static_cast<std::size_t>(kMakings[i].family) != i) return false;
  }
  return true;
}
static_assert(MakingsInOrder());

// The base keys of `derived` keys.
struct BaseMaking {
  KeyMaking making;
  MechanismType derivation;
};
constexpr BaseMaking kAesEcbBase{.making = {.family = Family::kAesGcm,
                                            .generator = MechanismType::kAesKeyGen,
                                            .kind = KeyKind::kAesBase,
                                            .key_type = P11Type::kAes,
                                            .missing = "AES keys"},
                                 .derivation = MechanismType::kAesEcbEncryptData};
constexpr BaseMaking kHkdfBase{.making = {.family = Family::kAesGcm,
                                          .generator = MechanismType::kHkdfKeyGen,
                                          .kind = KeyKind::kHkdfBase,
                                          .key_type = P11Type::kHkdf,
                                          .missing = "HKDF keys (PKCS#11 3.0 CKM_HKDF_KEY_GEN)"},
                               .derivation = MechanismType::kHkdfDerive};
const BaseMaking& BaseOf(Kdf kdf) { return kdf == Kdf::kHkdfSha256 ? kHkdfBase : kAesEcbBase; }

// The mechanisms that one use of a family's keys needs, and the flags that go with them.
struct UsageRow {
  Family family{};
  Use use{};
  UsageFlags abilities;
  std::array<MechanismType, 5> mechanisms{};
  std::size_t mechanism_count = 1;
};

constexpr std::array kUsages{
    UsageRow{.family = Family::kAesGcm,
             .use = Use::kCipher,
             .abilities = kEncryptsAndDecrypts,
             .mechanisms = {MechanismType::kAesGcm}},
    UsageRow{.family = Family::kChaCha20,
             .use = Use::kCipher,
             .abilities = kEncryptsAndDecrypts,
             .mechanisms = {MechanismType::kChaCha20Poly1305}},
    UsageRow{.family = Family::kCmac,
             .use = Use::kCmac,
             .abilities = kSigns,
             .mechanisms = {MechanismType::kAesCmac}},
    UsageRow{.family = Family::kRsa,
             .use = Use::kCipher,
             .abilities = kDecrypts,
             .mechanisms = {MechanismType::kRsaX509}},
    UsageRow{.family = Family::kRsa,
             .use = Use::kSign,
             .abilities = kSigns,
             .mechanisms = {MechanismType::kRsaPkcs, MechanismType::kRsaPkcsPss,
                            MechanismType::kRsaX509},
             .mechanism_count = 3},
    UsageRow{.family = Family::kEcdsa,
             .use = Use::kSign,
             .abilities = kSigns,
             .mechanisms = {MechanismType::kEcdsa}},
    UsageRow{.family = Family::kEcdsa,
             .use = Use::kAgree,
             .abilities = kDerives,
             .mechanisms = {MechanismType::kEcdh1Derive}},
    UsageRow{.family = Family::kEd25519,
             .use = Use::kSign,
             .abilities = kSigns,
             .mechanisms = {MechanismType::kEddsa}},
    UsageRow{.family = Family::kHmac,
             .use = Use::kHmac,
             .abilities = kSigns,
             .mechanisms = {MechanismType::kSha1Hmac, MechanismType::kSha224Hmac,
                            MechanismType::kSha256Hmac, MechanismType::kSha384Hmac,
                            MechanismType::kSha512Hmac},
             .mechanism_count = 5},
};

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
    case KeyType::kEd25519:
      return kEd25519;
    default:
      return {};
  }
}

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

Result<const MasterClass*> ClassOf(const KeySpec& spec, Use use) {
  // The second key of a version has the same masters whatever the first one's are.
  const bool second = use == Use::kHmac && InfoOf(spec.type).family != Family::kHmac;
  if (second) return FindClass(KeyKind::kHmac);
  return FindClass(MakingOf(spec).kind, spec.exportable ? Origin::kExportable : Origin::kBorn);
}

unsigned long SecretOctets(const KeySpec& spec) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  if (info.family == Family::kHmac) return static_cast<unsigned long>(spec.hmac_octets);
  // It makes AES-256 keys on the way, whatever the derived ones are. HKDF's base is as long as the
  // type's own keys, so that those of another server can be imported.
  if (spec.derived && spec.kdf != Kdf::kHkdfSha256) return 32;
  return static_cast<unsigned long>(info.bits / 8);
}

Result<TokenUse> TokenUseOf(const KeySpec& spec, Use use) {
  if (use == Use::kDerive && spec.derived) return TokenUse{kDerives, {BaseOf(spec.kdf).derivation}};
  // The second key of every family is an HMAC key.
  const Family family = use == Use::kHmac ? Family::kHmac : InfoOf(spec.type).family;
  const auto* const row = std::ranges::find_if(
      kUsages, [&](const UsageRow& each) { return each.family == family && each.use == use; });
  if (row == kUsages.end()) {
    return Fail(Code::kInternal, std::string(KeyTypeName(spec.type)) + " keys have no use number " +
                                     std::to_string(static_cast<int>(use)));
  }
  return TokenUse{row->abilities,
                  {row->mechanisms.begin(),
                   row->mechanisms.begin() + static_cast<std::ptrdiff_t>(row->mechanism_count)}};
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
