#pragma once

#include <cstdint>

namespace coffer::pkcs11 {

// Names and numbers of OASIS PKCS#11 2.40/3.0 that this library uses; pkcs11/src asserts that they
// equal the standard header's.
using SlotId = unsigned long;
using ObjectHandle = unsigned long;
inline constexpr ObjectHandle kNoObject = 0;

enum class ObjectClass : unsigned long {
  kData = 0,
  kPublicKey = 2,
  kPrivateKey = 3,
  kSecretKey = 4
};

enum class KeyType : unsigned long {
  kRsa = 0x00,
  kEc = 0x03,
  kGenericSecret = 0x10,
  kAes = 0x1f,
  kChaCha20 = 0x33,
  kEcEdwards = 0x40,
  kHkdf = 0x42
};

enum class AttributeType : unsigned long {
  kClass = 0x000,
  kToken = 0x001,
  kPrivate = 0x002,
  kLabel = 0x003,
  kApplication = 0x010,
  kValue = 0x011,
  kObjectId = 0x012,
  kKeyType = 0x100,
  kId = 0x102,
  kSensitive = 0x103,
  kEncrypt = 0x104,
  kDecrypt = 0x105,
  kWrap = 0x106,
  kUnwrap = 0x107,
  kSign = 0x108,
  kSignRecover = 0x109,
  kVerify = 0x10a,
  kDerive = 0x10c,
  kModulus = 0x120,
  kModulusBits = 0x121,
  kPublicExponent = 0x122,
  kValueLen = 0x161,
  kExtractable = 0x162,
  kLocal = 0x163,
  kNeverExtractable = 0x164,
  kAlwaysSensitive = 0x165,
  kKeyGenMechanism = 0x166,
  kModifiable = 0x170,
  kCopyable = 0x171,
  kDestroyable = 0x172,
  kEcParams = 0x180,
  kEcPoint = 0x181,
  kWrapTemplate = 0x40000211,
  kUnwrapTemplate = 0x40000212,
  kAllowedMechanisms = 0x40000600
};

enum class MechanismType : unsigned long {
  kRsaPkcsKeyPairGen = 0x0000,
  kRsaPkcs = 0x0001,
  kRsaX509 = 0x0003,
  kRsaPkcsOaep = 0x0009,
  kRsaPkcsPss = 0x000d,
  kSha1 = 0x0220,
  kSha224 = 0x0255,
  kSha256 = 0x0250,
  kSha384 = 0x0260,
  kSha512 = 0x0270,
  kSha1Hmac = 0x0221,
  kSha256Hmac = 0x0251,
  kSha384Hmac = 0x0261,
  kSha512Hmac = 0x0271,
  kSha224Hmac = 0x0256,
  kGenericSecretKeyGen = 0x0350,
  kEcKeyPairGen = 0x1040,
  kEcdsa = 0x1041,
  kEcdh1Derive = 0x1050,
  kEddsa = 0x1057,
  kEcEdwardsKeyPairGen = 0x1055,
  kAesKeyGen = 0x1080,
  kAesEcb = 0x1081,
  kAesCbc = 0x1082,
  kAesCbcPad = 0x1085,
  kAesGcm = 0x1087,
  kAesCmac = 0x108a,
  kAesEcbEncryptData = 0x1104,
  kChaCha20KeyGen = 0x1225,
  kAesKeyWrap = 0x2109,
  kAesKeyWrapPad = 0x210a,
  kAesKeyWrapKwp = 0x210b,
  kChaCha20Poly1305 = 0x4021,
  kHkdfDerive = 0x402a,
  kHkdfKeyGen = 0x402c
};

enum class UserType { kSecurityOfficer, kUser };

}  // namespace coffer::pkcs11
