// A PKCS#11 module over SoftHSM (or COFFER_TEST_PKCS11_MODULE) that also offers what SoftHSM lacks,
// by a stand-in: ChaCha20 and HKDF keys are AES keys, CKM_CHACHA20_POLY1305 is AES-GCM, and
// CKM_HKDF_DERIVE is CKM_AES_ECB_ENCRYPT_DATA over a hash of salt and info. So nothing is said here
// about either algorithm (tests/keyring/nss_answer_test.cc does that); what it shows is that a
// token which has them gets such keys made, wrapped, kept and used, and that nothing else is in the
// way.
//
// An unwrap template is SoftHSM's to enforce, and SoftHSM knows no such key types. So a master
// whose template names one gets a twin that names AES instead and does its work; the master itself
// stays as it was asked for, and SoftHSM without this module reads it so.
//
// It also unwraps by RSA-OAEP with the SHA-2 hashes, of which SoftHSM has none: a private key that
// may only unwrap so may also do the raw operation here, and does not show it. Such unwrapping
// minds no unwrap template.
//
// COFFER_TEST_STAND_IN: the keys are made, and their mechanisms are refused (`useless`) or fail
// without a reason (`failing`).

#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/rsa_padding.h"
#include "fakes/softhsm_module.h"

namespace {

// PKCS#11 3.0; p11-kit 0.24 stops at 2.40.
constexpr CK_KEY_TYPE kChaCha20 = 0x33;
constexpr CK_KEY_TYPE kHkdf = 0x42;
constexpr CK_MECHANISM_TYPE kChaCha20KeyGen = 0x1225;
constexpr CK_MECHANISM_TYPE kChaCha20Poly1305 = 0x4021;
constexpr CK_MECHANISM_TYPE kHkdfDerive = 0x402a;
constexpr CK_MECHANISM_TYPE kHkdfKeyGen = 0x402c;
struct ChaCha20Poly1305Parameters {
  CK_BYTE* nonce;
  CK_ULONG nonce_size;
  CK_BYTE* aad;
  CK_ULONG aad_size;
};
struct HkdfParameters {
  CK_BBOOL extract;
  CK_BBOOL expand;
  CK_MECHANISM_TYPE hash;
  CK_ULONG salt_type;
  CK_BYTE* salt;
  CK_ULONG salt_size;
  CK_OBJECT_HANDLE salt_key;
  CK_BYTE* info;
  CK_ULONG info_size;
};

constexpr std::string_view kTwinLabel = "stand-in twin";
constexpr std::size_t kIdOctets = 16;

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST list;

// The answer of every mechanism, as the test chose it by COFFER_TEST_STAND_IN.
CK_RV Verdict() {
  const char* const told = ::getenv("COFFER_TEST_STAND_IN");
  if (told == nullptr) return CKR_OK;
  return std::string_view(told) == "useless" ? CKR_MECHANISM_INVALID : CKR_GENERAL_ERROR;
}

// Begins the CKA_ID of an AES key that stands for another: its type and its mechanisms follow,
// which are told to whoever reads the key back.
constexpr std::string_view kAskedMark = "stand-in:";
constexpr CK_ULONG kMostAskedOctets = 128;

// A template in which AES stands for what SoftHSM does not know, down to nested templates.
class Mapped {
 public:
  Mapped(const CK_ATTRIBUTE* attributes, CK_ULONG count)
      : attributes_(attributes, attributes + count) {
    for (CK_ATTRIBUTE& attribute : attributes_) Map(attribute);
  }
  // True if anything had to be replaced.
  bool Changed() const { return changed_; }
  std::vector<CK_ATTRIBUTE>& All() { return attributes_; }
  // Lets the key remember what it was asked to be.
  void Remember() {
    if (!changed_) return;
    asked_ = std::string(kAskedMark) + asked_;
    attributes_.insert(attributes_.begin(), {CKA_ID, asked_.data(), asked_.size()});
  }
  CK_ATTRIBUTE* Data() { return attributes_.data(); }
  CK_ULONG Size() const { return attributes_.size(); }

 private:
  void Map(CK_ATTRIBUTE& attribute) {
    if (attribute.type == CKA_KEY_TYPE) {
      CK_ULONG type = 0;
      std::memcpy(&type, attribute.pValue, sizeof(type));
      if (type == kChaCha20 || type == kHkdf) type = CKK_AES;
      Replace(attribute, {type});
    } else if (attribute.type == CKA_ALLOWED_MECHANISMS) {
      std::vector<CK_ULONG> allowed(attribute.ulValueLen / sizeof(CK_ULONG));
      std::memcpy(allowed.data(), attribute.pValue, attribute.ulValueLen);
      for (CK_ULONG& mechanism : allowed) {
        if (mechanism == kChaCha20Poly1305) mechanism = CKM_AES_GCM;
        if (mechanism == kHkdfDerive) mechanism = CKM_AES_ECB_ENCRYPT_DATA;
      }
      Replace(attribute, std::move(allowed));
    } else if (attribute.type == CKA_UNWRAP_TEMPLATE || attribute.type == CKA_WRAP_TEMPLATE) {
      Mapped& nested = nested_.emplace_back(static_cast<const CK_ATTRIBUTE*>(attribute.pValue),
                                            attribute.ulValueLen / sizeof(CK_ATTRIBUTE));
      changed_ = changed_ || nested.Changed();
      attribute.pValue = nested.Data();
    }
  }
  void Replace(CK_ATTRIBUTE& attribute, std::vector<CK_ULONG> values) {
    std::vector<CK_ULONG>& kept = values_.emplace_back(std::move(values));
    changed_ = changed_ || std::memcmp(attribute.pValue, kept.data(), attribute.ulValueLen) != 0;
    const std::string was(static_cast<const char*>(attribute.pValue), attribute.ulValueLen);
    asked_ = attribute.type == CKA_KEY_TYPE ? was + asked_ : asked_ + was;
    attribute.pValue = kept.data();
  }

  std::vector<CK_ATTRIBUTE> attributes_;
  std::list<std::vector<CK_ULONG>> values_;
  std::list<Mapped> nested_;
  std::string asked_;  // the key type, then the mechanisms
  bool changed_ = false;
};

CK_ATTRIBUTE Octets(CK_ATTRIBUTE_TYPE type, std::string_view octets) {
  return {type, const_cast<char*>(octets.data()), octets.size()};
}

// The twin of a master that has one; else the object itself.
CK_OBJECT_HANDLE Doing(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  std::array<char, kIdOctets> id{};
  CK_ATTRIBUTE read{CKA_ID, id.data(), id.size()};
  if (real->C_GetAttributeValue(session, object, &read, 1) != CKR_OK ||
      read.ulValueLen != id.size()) {
    return object;
  }
  std::array<CK_ATTRIBUTE, 2> wanted{Octets(CKA_LABEL, kTwinLabel),
                                     Octets(CKA_ID, {id.data(), id.size()})};
  CK_OBJECT_HANDLE twin = object;
  CK_ULONG found = 0;
  if (real->C_FindObjectsInit(session, wanted.data(), wanted.size()) != CKR_OK) return object;
  const CK_RV rv = real->C_FindObjects(session, &twin, 1, &found);
  real->C_FindObjectsFinal(session);
  return rv == CKR_OK && found == 1 ? twin : object;
}

CK_RV GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes,
                  CK_ULONG count, CK_OBJECT_HANDLE* key) {
  Mapped mapped(attributes, count);
  if (mechanism->mechanism == kChaCha20KeyGen || mechanism->mechanism == kHkdfKeyGen) {
    CK_MECHANISM aes{CKM_AES_KEY_GEN, nullptr, 0};
    mapped.Remember();
    return real->C_GenerateKey(session, &aes, mapped.Data(), mapped.Size(), key);
  }
  if (!mapped.Changed()) return real->C_GenerateKey(session, mechanism, attributes, count, key);
  std::array<char, kIdOctets> id{};
  if (const CK_RV rv =
          real->C_GenerateRandom(session, reinterpret_cast<CK_BYTE*>(id.data()), id.size());
      rv != CKR_OK) {
    return rv;
  }
  const CK_ATTRIBUTE id_attribute = Octets(CKA_ID, {id.data(), id.size()});
  // Puts it before the attribute that SoftHSM requires to be last.
  std::vector<CK_ATTRIBUTE> own(attributes, attributes + count);
  own.insert(own.begin(), id_attribute);
  std::vector<CK_ATTRIBUTE>& twins = mapped.All();
  twins.insert(twins.begin(), id_attribute);
  for (CK_ATTRIBUTE& attribute : twins) {
    if (attribute.type == CKA_LABEL) attribute = Octets(CKA_LABEL, kTwinLabel);
  }
  const CK_RV rv = real->C_GenerateKey(session, mechanism, own.data(), own.size(), key);
  if (rv != CKR_OK) return rv;
  CK_OBJECT_HANDLE twin = 0;
  return real->C_GenerateKey(session, mechanism, twins.data(), twins.size(), &twin);
}

// The CKA_ID of a private key that was asked to unwrap by OAEP only.
constexpr std::string_view kOaepMark = "stand-in oaep";

bool IsMarked(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  std::array<char, kOaepMark.size()> id{};
  CK_ATTRIBUTE read{CKA_ID, id.data(), id.size()};
  return real->C_GetAttributeValue(session, object, &read, 1) == CKR_OK &&
         std::string_view(id.data(), read.ulValueLen) == kOaepMark;
}

CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                      CK_ATTRIBUTE* public_attributes, CK_ULONG public_count,
                      CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                      CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  std::vector<CK_ATTRIBUTE> own(private_attributes, private_attributes + private_count);
  std::array<CK_ULONG, 2> both{CKM_RSA_PKCS_OAEP, CKM_RSA_X_509};
  CK_BBOOL yes = CK_TRUE;
  const auto allowed = std::ranges::find_if(own, [&](const CK_ATTRIBUTE& attribute) {
    return attribute.type == CKA_ALLOWED_MECHANISMS && attribute.ulValueLen == sizeof(CK_ULONG) &&
           std::memcmp(attribute.pValue, both.data(), sizeof(CK_ULONG)) == 0;
  });
  if (allowed != own.end()) {
    *allowed = {CKA_ALLOWED_MECHANISMS, both.data(), sizeof(both)};
    for (CK_ATTRIBUTE& attribute : own) {
      if (attribute.type == CKA_DECRYPT) attribute.pValue = &yes;
    }
    own.insert(own.begin(), Octets(CKA_ID, kOaepMark));
  }
  return real->C_GenerateKeyPair(session, mechanism, public_attributes, public_count, own.data(),
                                 own.size(), public_key, private_key);
}

// Undoes OAEP outside the token and makes the key that the caller asked for.
CK_RV UnwrapOaep(CK_SESSION_HANDLE session, const CK_RSA_PKCS_OAEP_PARAMS& oaep,
                 CK_OBJECT_HANDLE unwrapping_key, CK_BYTE* wrapped, CK_ULONG size,
                 const CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  using coffer::crypto::HashAlgorithm;
  HashAlgorithm hash = HashAlgorithm::kSha256;
  if (oaep.hashAlg == CKM_SHA224) hash = HashAlgorithm::kSha224;
  if (oaep.hashAlg == CKM_SHA384) hash = HashAlgorithm::kSha384;
  if (oaep.hashAlg == CKM_SHA512) hash = HashAlgorithm::kSha512;
  CK_MECHANISM raw{CKM_RSA_X_509, nullptr, 0};
  if (const CK_RV rv = real->C_DecryptInit(session, &raw, unwrapping_key); rv != CKR_OK) return rv;
  std::vector<CK_BYTE> block(size);
  CK_ULONG written = block.size();
  if (const CK_RV rv = real->C_Decrypt(session, wrapped, size, block.data(), &written);
      rv != CKR_OK) {
    return rv;
  }
  const auto value = coffer::crypto::OaepDecode(hash, coffer::SecretBytes::CopyOf(block));
  if (!value) return CKR_WRAPPED_KEY_INVALID;
  std::vector<CK_ATTRIBUTE> own(attributes, attributes + count);
  const coffer::ByteView bytes = value->Reveal();
  own.insert(own.begin(), {CKA_VALUE, const_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return real->C_CreateObject(session, own.data(), own.size(), key);
}

CK_RV DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  if (const CK_OBJECT_HANDLE twin = Doing(session, object); twin != object) {
    real->C_DestroyObject(session, twin);
  }
  return real->C_DestroyObject(session, object);
}

CK_RV WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
              CK_OBJECT_HANDLE key, CK_BYTE* out, CK_ULONG* size) {
  return real->C_WrapKey(session, mechanism, Doing(session, wrapping_key), key, out, size);
}

CK_RV UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                CK_BYTE* wrapped, CK_ULONG size, CK_ATTRIBUTE* attributes, CK_ULONG count,
                CK_OBJECT_HANDLE* key) {
  if (mechanism->mechanism == CKM_RSA_PKCS_OAEP && IsMarked(session, unwrapping_key)) {
    const auto& oaep = *static_cast<const CK_RSA_PKCS_OAEP_PARAMS*>(mechanism->pParameter);
    if (oaep.hashAlg != CKM_SHA_1) {
      return UnwrapOaep(session, oaep, unwrapping_key, wrapped, size, attributes, count, key);
    }
  }
  Mapped mapped(attributes, count);
  mapped.Remember();
  return real->C_UnwrapKey(session, mechanism, Doing(session, unwrapping_key), wrapped, size,
                           mapped.Data(), mapped.Size(), key);
}

CK_RV DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base,
                CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  Mapped mapped(attributes, count);
  mapped.Remember();
  if (mechanism->mechanism != kHkdfDerive) {
    return real->C_DeriveKey(session, mechanism, base, mapped.Data(), mapped.Size(), key);
  }
  if (const CK_RV rv = Verdict(); rv != CKR_OK) return rv;
  const auto& hkdf = *static_cast<const HkdfParameters*>(mechanism->pParameter);
  std::vector<CK_BYTE> input{static_cast<CK_BYTE>(hkdf.salt_size)};
  input.insert(input.end(), hkdf.salt, hkdf.salt + hkdf.salt_size);
  input.insert(input.end(), hkdf.info, hkdf.info + hkdf.info_size);
  std::array<CK_BYTE, 32> data{};
  CK_ULONG size = data.size();
  CK_MECHANISM sha256{CKM_SHA256, nullptr, 0};
  if (const CK_RV rv = real->C_DigestInit(session, &sha256); rv != CKR_OK) return rv;
  if (const CK_RV rv = real->C_Digest(session, input.data(), input.size(), data.data(), &size);
      rv != CKR_OK) {
    return rv;
  }
  CK_KEY_DERIVATION_STRING_DATA string{data.data(), size};
  CK_MECHANISM step{CKM_AES_ECB_ENCRYPT_DATA, &string, sizeof(string)};
  return real->C_DeriveKey(session, &step, base, mapped.Data(), mapped.Size(), key);
}

// A key that stands for another is described as that one.
CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                        CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (count == 1 && attributes->type == CKA_ALLOWED_MECHANISMS && IsMarked(session, object)) {
    static constexpr CK_ULONG kOaep = CKM_RSA_PKCS_OAEP;
    if (attributes->pValue != nullptr) std::memcpy(attributes->pValue, &kOaep, sizeof(kOaep));
    attributes->ulValueLen = sizeof(kOaep);
    return CKR_OK;
  }
  const CK_RV rv = real->C_GetAttributeValue(session, object, attributes, count);
  if (rv == CKR_OK && count == 1 && attributes->type == CKA_DECRYPT &&
      attributes->pValue != nullptr && IsMarked(session, object)) {
    *static_cast<CK_BBOOL*>(attributes->pValue) = CK_FALSE;
    return rv;
  }
  if (rv != CKR_OK || count != 1 ||
      (attributes->type != CKA_KEY_TYPE && attributes->type != CKA_ALLOWED_MECHANISMS)) {
    return rv;
  }
  std::array<char, kMostAskedOctets> id{};
  CK_ATTRIBUTE read{CKA_ID, id.data(), id.size()};
  if (real->C_GetAttributeValue(session, object, &read, 1) != CKR_OK) return rv;
  std::string_view asked(id.data(), read.ulValueLen);
  if (!asked.starts_with(kAskedMark)) return rv;
  asked.remove_prefix(kAskedMark.size());
  asked = attributes->type == CKA_KEY_TYPE ? asked.substr(0, sizeof(CK_ULONG))
                                           : asked.substr(sizeof(CK_ULONG));
  if (attributes->pValue != nullptr) {
    std::memcpy(attributes->pValue, asked.data(),
                std::min<std::size_t>(asked.size(), attributes->ulValueLen));
  }
  attributes->ulValueLen = asked.size();
  return CKR_OK;
}

using Init = CK_RV (*)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);

CK_RV CipherInit(Init init, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                 CK_OBJECT_HANDLE key) {
  if (mechanism->mechanism != kChaCha20Poly1305) return init(session, mechanism, key);
  if (const CK_RV rv = Verdict(); rv != CKR_OK) return rv;
  const auto& chacha = *static_cast<const ChaCha20Poly1305Parameters*>(mechanism->pParameter);
  CK_GCM_PARAMS gcm{};
  gcm.pIv = chacha.nonce;
  gcm.ulIvLen = chacha.nonce_size;
  gcm.ulIvBits = chacha.nonce_size * 8;
  gcm.pAAD = chacha.aad;
  gcm.ulAADLen = chacha.aad_size;
  gcm.ulTagBits = 128;
  CK_MECHANISM stand_in{CKM_AES_GCM, &gcm, sizeof(gcm)};
  return init(session, &stand_in, key);
}

CK_RV EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return CipherInit(real->C_EncryptInit, session, mechanism, key);
}

CK_RV DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return CipherInit(real->C_DecryptInit, session, mechanism, key);
}

}  // namespace

extern "C" {

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  if (real == nullptr) real = coffer::fakes::LoadSoftHsm();
  if (real == nullptr) return CKR_GENERAL_ERROR;
  list = *real;
  list.C_GenerateKey = GenerateKey;
  list.C_GenerateKeyPair = GenerateKeyPair;
  list.C_DestroyObject = DestroyObject;
  list.C_WrapKey = WrapKey;
  list.C_UnwrapKey = UnwrapKey;
  list.C_DeriveKey = DeriveKey;
  list.C_EncryptInit = EncryptInit;
  list.C_GetAttributeValue = GetAttributeValue;
  list.C_DecryptInit = DecryptInit;
  *out = &list;
  return CKR_OK;
}

}  // extern "C"
