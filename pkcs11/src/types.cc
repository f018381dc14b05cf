#include "coffer/pkcs11/types.h"

#include "cryptoki.h"

// Holds every number of the public header against the standard's.
namespace coffer::pkcs11 {
namespace {

template <typename T>
constexpr unsigned long Number(T value) {
  return static_cast<unsigned long>(value);
}

static_assert(sizeof(SlotId) == sizeof(CK_SLOT_ID));
static_assert(sizeof(ObjectHandle) == sizeof(CK_OBJECT_HANDLE));

static_assert(Number(ObjectClass::kData) == CKO_DATA);
static_assert(Number(ObjectClass::kPublicKey) == CKO_PUBLIC_KEY);
static_assert(Number(ObjectClass::kPrivateKey) == CKO_PRIVATE_KEY);
static_assert(Number(ObjectClass::kSecretKey) == CKO_SECRET_KEY);

static_assert(Number(KeyType::kRsa) == CKK_RSA);
static_assert(Number(KeyType::kEc) == CKK_EC);
static_assert(Number(KeyType::kGenericSecret) == CKK_GENERIC_SECRET);
static_assert(Number(KeyType::kAes) == CKK_AES);
static_assert(Number(KeyType::kEcEdwards) == CKK_EC_EDWARDS);

static_assert(Number(AttributeType::kClass) == CKA_CLASS);
static_assert(Number(AttributeType::kToken) == CKA_TOKEN);
static_assert(Number(AttributeType::kPrivate) == CKA_PRIVATE);
static_assert(Number(AttributeType::kLabel) == CKA_LABEL);
static_assert(Number(AttributeType::kApplication) == CKA_APPLICATION);
static_assert(Number(AttributeType::kValue) == CKA_VALUE);
static_assert(Number(AttributeType::kObjectId) == CKA_OBJECT_ID);
static_assert(Number(AttributeType::kKeyType) == CKA_KEY_TYPE);
static_assert(Number(AttributeType::kId) == CKA_ID);
static_assert(Number(AttributeType::kSensitive) == CKA_SENSITIVE);
static_assert(Number(AttributeType::kEncrypt) == CKA_ENCRYPT);
static_assert(Number(AttributeType::kDecrypt) == CKA_DECRYPT);
static_assert(Number(AttributeType::kWrap) == CKA_WRAP);
static_assert(Number(AttributeType::kUnwrap) == CKA_UNWRAP);
static_assert(Number(AttributeType::kSign) == CKA_SIGN);
static_assert(Number(AttributeType::kSignRecover) == CKA_SIGN_RECOVER);
static_assert(Number(AttributeType::kVerify) == CKA_VERIFY);
static_assert(Number(AttributeType::kDerive) == CKA_DERIVE);
static_assert(Number(AttributeType::kModulus) == CKA_MODULUS);
static_assert(Number(AttributeType::kModulusBits) == CKA_MODULUS_BITS);
static_assert(Number(AttributeType::kPublicExponent) == CKA_PUBLIC_EXPONENT);
static_assert(Number(AttributeType::kValueLen) == CKA_VALUE_LEN);
static_assert(Number(AttributeType::kExtractable) == CKA_EXTRACTABLE);
static_assert(Number(AttributeType::kLocal) == CKA_LOCAL);
static_assert(Number(AttributeType::kNeverExtractable) == CKA_NEVER_EXTRACTABLE);
static_assert(Number(AttributeType::kAlwaysSensitive) == CKA_ALWAYS_SENSITIVE);
static_assert(Number(AttributeType::kKeyGenMechanism) == CKA_KEY_GEN_MECHANISM);
static_assert(Number(AttributeType::kModifiable) == CKA_MODIFIABLE);
static_assert(Number(AttributeType::kCopyable) == CKA_COPYABLE);
static_assert(Number(AttributeType::kDestroyable) == CKA_DESTROYABLE);
static_assert(Number(AttributeType::kEcParams) == CKA_EC_PARAMS);
static_assert(Number(AttributeType::kEcPoint) == CKA_EC_POINT);
static_assert(Number(AttributeType::kWrapTemplate) == CKA_WRAP_TEMPLATE);
static_assert(Number(AttributeType::kUnwrapTemplate) == CKA_UNWRAP_TEMPLATE);
static_assert(Number(AttributeType::kAllowedMechanisms) == CKA_ALLOWED_MECHANISMS);

static_assert(Number(MechanismType::kRsaPkcsKeyPairGen) == CKM_RSA_PKCS_KEY_PAIR_GEN);
static_assert(Number(MechanismType::kRsaPkcs) == CKM_RSA_PKCS);
static_assert(Number(MechanismType::kRsaX509) == CKM_RSA_X_509);
static_assert(Number(MechanismType::kRsaPkcsOaep) == CKM_RSA_PKCS_OAEP);
static_assert(Number(MechanismType::kRsaPkcsPss) == CKM_RSA_PKCS_PSS);
static_assert(Number(MechanismType::kSha1) == CKM_SHA_1);
static_assert(Number(MechanismType::kSha224) == CKM_SHA224);
static_assert(Number(MechanismType::kSha256) == CKM_SHA256);
static_assert(Number(MechanismType::kSha384) == CKM_SHA384);
static_assert(Number(MechanismType::kSha512) == CKM_SHA512);
static_assert(Number(MechanismType::kEcdh1Derive) == CKM_ECDH1_DERIVE);
static_assert(Number(MechanismType::kSha1Hmac) == CKM_SHA_1_HMAC);
static_assert(Number(MechanismType::kSha224Hmac) == CKM_SHA224_HMAC);
static_assert(Number(MechanismType::kSha256Hmac) == CKM_SHA256_HMAC);
static_assert(Number(MechanismType::kSha384Hmac) == CKM_SHA384_HMAC);
static_assert(Number(MechanismType::kSha512Hmac) == CKM_SHA512_HMAC);
static_assert(Number(MechanismType::kGenericSecretKeyGen) == CKM_GENERIC_SECRET_KEY_GEN);
static_assert(Number(MechanismType::kEcKeyPairGen) == CKM_EC_KEY_PAIR_GEN);
static_assert(Number(MechanismType::kEcdsa) == CKM_ECDSA);
static_assert(Number(MechanismType::kEddsa) == CKM_EDDSA);
static_assert(Number(MechanismType::kEcEdwardsKeyPairGen) == CKM_EC_EDWARDS_KEY_PAIR_GEN);
static_assert(Number(MechanismType::kAesKeyGen) == CKM_AES_KEY_GEN);
static_assert(Number(MechanismType::kAesEcb) == CKM_AES_ECB);
static_assert(Number(MechanismType::kAesCbc) == CKM_AES_CBC);
static_assert(Number(MechanismType::kAesCbcPad) == CKM_AES_CBC_PAD);
static_assert(Number(MechanismType::kAesGcm) == CKM_AES_GCM);
static_assert(Number(MechanismType::kAesCmac) == CKM_AES_CMAC);
static_assert(Number(MechanismType::kAesEcbEncryptData) == CKM_AES_ECB_ENCRYPT_DATA);
static_assert(Number(MechanismType::kAesKeyWrap) == CKM_AES_KEY_WRAP);
static_assert(Number(MechanismType::kAesKeyWrapPad) == CKM_AES_KEY_WRAP_PAD);
// CKM_AES_KEY_WRAP_KWP (3.0): p11-kit 0.24 stops at 2.40.
static_assert(Number(MechanismType::kAesKeyWrapKwp) == 0x210bUL);
// CKK_CHACHA20, CKK_HKDF, CKM_CHACHA20_KEY_GEN, CKM_CHACHA20_POLY1305, CKM_HKDF_DERIVE,
// CKM_HKDF_KEY_GEN (3.0).
static_assert(Number(KeyType::kChaCha20) == 0x33UL);
static_assert(Number(KeyType::kHkdf) == 0x42UL);
static_assert(Number(MechanismType::kChaCha20Poly1305) == 0x4021UL);
static_assert(Number(MechanismType::kHkdfDerive) == 0x402aUL);
static_assert(Number(MechanismType::kHkdfKeyGen) == 0x402cUL);
static_assert(Number(MechanismType::kChaCha20KeyGen) == 0x1225UL);

}  // namespace
}  // namespace coffer::pkcs11
