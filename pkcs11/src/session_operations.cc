#include <array>
#include <string>

#include "attributes_impl.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/pkcs11/error.h"
#include "coffer/pkcs11/session.h"
#include "operation.h"
#include "raw_bytes.h"

namespace coffer::pkcs11 {
namespace {

constexpr std::size_t kAeadIvOctets = 12;
constexpr std::size_t kMaxDigestOctets = 64;
// Holds every key in use, RSA-8192 in PKCS#8 too; larger ones take a second call.
constexpr std::size_t kWrapOctets = 8192;
// Single-part outputs are at most a padding longer than what goes in; a token asking for more lies.
constexpr CK_ULONG kMaxGrowth = 65'536;

// `aad` is never null, even for length 0: SoftHSM issue 664.
CK_GCM_PARAMS GcmOf(const AeadParameters& parameters) {
  CK_GCM_PARAMS raw{};
  raw.pIv = InputPointer(parameters.iv);
  raw.ulIvLen = parameters.iv.size();
  raw.ulIvBits = parameters.iv.size() * 8;
  raw.pAAD = InputPointer(parameters.aad);
  raw.ulAADLen = parameters.aad.size();
  raw.ulTagBits = kAeadTagBytes * 8;
  return raw;
}

ChaCha20Poly1305Parameters ChaCha20Of(const AeadParameters& parameters) {
  return {InputPointer(parameters.iv), parameters.iv.size(), InputPointer(parameters.aad),
          parameters.aad.size()};
}

Status CheckSealing(const AeadParameters& parameters, ByteView in, MutableBytes out) {
  if (parameters.iv.size() == kAeadIvOctets && out.size() >= in.size() + kAeadTagBytes) return {};
  return Fail(Code::kInvalid, "an aead takes an iv of 12 bytes and 16 bytes more for its tag");
}

Status CheckOpening(const AeadParameters& parameters, ByteView in, MutableBytes out) {
  if (parameters.iv.size() != kAeadIvOctets || out.size() < in.size()) {
    return Fail(Code::kInvalid, "an aead takes an iv of 12 bytes and room for the ciphertext");
  }
  if (in.size() >= kAeadTagBytes) return {};
  return Fail(Code::kAuthenticationFailed, "authentication failed",
              "the ciphertext is shorter than its tag");
}

}  // namespace

Result<Bytes> Session::WrapKey(const Mechanism& mechanism, ObjectHandle wrapping_key,
                               ObjectHandle key) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kWrapKey,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  Bytes wrapped(kWrapOctets);
  for (int attempt = 0; attempt < 2; ++attempt) {
    CK_ULONG size = wrapped.size();
    const CK_RV rv =
        module_->functions->C_WrapKey(handle_, &raw, wrapping_key, key, wrapped.data(), &size);
    if (rv == CKR_BUFFER_TOO_SMALL && size > wrapped.size() && size <= kMaxGrowth) {
      wrapped.resize(size);
      continue;
    }
    if (rv != CKR_OK) return Fail(Failed(rv, "C_WrapKey"));
    if (size > wrapped.size()) return Fail(FailedLength(size, "C_WrapKey"));
    counted.Succeeded();
    // A copy of its own length: it may be kept, and the room above holds a hundred times as much.
    return Bytes(wrapped.begin(), wrapped.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return Fail(Failed(CKR_BUFFER_TOO_SMALL, "C_WrapKey"));
}

Result<ObjectHandle> Session::UnwrapKey(const Mechanism& mechanism, ObjectHandle unwrapping_key,
                                        ByteView wrapped, const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kUnwrapKey,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  CK_OBJECT_HANDLE key = kNoObject;
  const CK_RV rv = module_->functions->C_UnwrapKey(
      handle_, &raw, unwrapping_key, InputPointer(wrapped), wrapped.size(),
      attributes.impl().Data(), attributes.impl().Size(), &key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_UnwrapKey"));
  counted.Succeeded();
  CountMade(1);
  return key;
}

Result<ObjectHandle> Session::DeriveKey(const Mechanism& mechanism, ObjectHandle base_key,
                                        const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kDeriveKey,
                                       MechanismIndex(mechanism.type));
  CK_KEY_DERIVATION_STRING_DATA data{InputPointer(mechanism.parameter), mechanism.parameter.size()};
  CK_MECHANISM raw{static_cast<CK_MECHANISM_TYPE>(mechanism.type), &data, sizeof(data)};
  CK_OBJECT_HANDLE key = kNoObject;
  const CK_RV rv = module_->functions->C_DeriveKey(
      handle_, &raw, base_key, attributes.impl().Data(), attributes.impl().Size(), &key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_DeriveKey"));
  counted.Succeeded();
  CountMade(1);
  return key;
}

Result<ObjectHandle> Session::DeriveEcdh(ObjectHandle base_key, ByteView public_point,
                                         const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  CK_ECDH1_DERIVE_PARAMS parameters{};
  parameters.kdf = CKD_NULL;
  parameters.pPublicData = InputPointer(public_point);
  parameters.ulPublicDataLen = public_point.size();
  CK_MECHANISM raw{CKM_ECDH1_DERIVE, &parameters, sizeof(parameters)};
  CK_OBJECT_HANDLE key = kNoObject;
  const CK_RV rv = module_->functions->C_DeriveKey(
      handle_, &raw, base_key, attributes.impl().Data(), attributes.impl().Size(), &key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_DeriveKey"));
  CountMade(1);
  return key;
}

Result<ObjectHandle> Session::DeriveHkdf(ObjectHandle base_key, const HkdfParameters& parameters,
                                         const Attributes& attributes) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kDeriveKey,
                                       MechanismIndex(MechanismType::kHkdfDerive));
  HkdfDeriveParameters hkdf{};
  hkdf.extract = CK_TRUE;
  hkdf.expand = CK_TRUE;
  hkdf.hash = static_cast<CK_MECHANISM_TYPE>(parameters.hash);
  hkdf.salt_type = kHkdfSaltNull;
  if (!parameters.salt.empty()) {
    hkdf.salt_type = kHkdfSaltData;
    hkdf.salt = InputPointer(parameters.salt);
    hkdf.salt_size = parameters.salt.size();
  }
  hkdf.info = InputPointer(parameters.info);
  hkdf.info_size = parameters.info.size();
  CK_MECHANISM raw{static_cast<CK_MECHANISM_TYPE>(MechanismType::kHkdfDerive), &hkdf, sizeof(hkdf)};
  CK_OBJECT_HANDLE key = kNoObject;
  const CK_RV rv = module_->functions->C_DeriveKey(
      handle_, &raw, base_key, attributes.impl().Data(), attributes.impl().Size(), &key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_DeriveKey"));
  counted.Succeeded();
  CountMade(1);
  return key;
}

Result<std::size_t> Session::EncryptAead(const Mechanism& mechanism, ObjectHandle key, ByteView in,
                                         MutableBytes out) {
  OperationCounters::Operation counted(module_->counters, OperationKind::kEncrypt,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  const Functions& functions = module_->functions;
  CK_RV rv = functions->C_EncryptInit(handle_, &raw, key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_EncryptInit"));
  CK_ULONG size = out.size();
  rv = functions->C_Encrypt(handle_, InputPointer(in), in.size(), out.data(), &size);
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_Encrypt", Operation::kEncrypt));
  if (size != in.size() + kAeadTagBytes) return Fail(FailedLength(size, "C_Encrypt"));
  counted.Succeeded();
  return size;
}

Result<std::size_t> Session::DecryptAead(const Mechanism& mechanism, ObjectHandle key, ByteView in,
                                         MutableBytes out) {
  OperationCounters::Operation counted(module_->counters, OperationKind::kDecrypt,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  const Functions& functions = module_->functions;
  CK_RV rv = functions->C_DecryptInit(handle_, &raw, key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_DecryptInit"));
  CK_ULONG size = out.size();
  rv = functions->C_Decrypt(handle_, InputPointer(in), in.size(), out.data(), &size);
  if (rv == CKR_OK && size == in.size() - kAeadTagBytes) {
    counted.Succeeded();
    return size;
  }
  SecureWipe(out.data(), out.size());  // a token may have left plaintext that did not verify
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_Decrypt", Operation::kDecrypt));
  return Fail(FailedLength(size, "C_Decrypt"));
}

Result<std::size_t> Session::EncryptGcm(ObjectHandle key, const AeadParameters& parameters,
                                        ByteView in, MutableBytes out) {
  COFFER_TRY(CheckAlive());
  COFFER_TRY(CheckSealing(parameters, in, out));
  const CK_GCM_PARAMS gcm = GcmOf(parameters);
  return EncryptAead({MechanismType::kAesGcm, RawBytes(gcm)}, key, in, out);
}

Result<std::size_t> Session::DecryptGcm(ObjectHandle key, const AeadParameters& parameters,
                                        ByteView in, MutableBytes out) {
  COFFER_TRY(CheckAlive());
  COFFER_TRY(CheckOpening(parameters, in, out));
  const CK_GCM_PARAMS gcm = GcmOf(parameters);
  return DecryptAead({MechanismType::kAesGcm, RawBytes(gcm)}, key, in, out);
}

Result<std::size_t> Session::EncryptChaCha20Poly1305(ObjectHandle key,
                                                     const AeadParameters& parameters, ByteView in,
                                                     MutableBytes out) {
  COFFER_TRY(CheckAlive());
  COFFER_TRY(CheckSealing(parameters, in, out));
  const ChaCha20Poly1305Parameters raw = ChaCha20Of(parameters);
  return EncryptAead({MechanismType::kChaCha20Poly1305, RawBytes(raw)}, key, in, out);
}

Result<std::size_t> Session::DecryptChaCha20Poly1305(ObjectHandle key,
                                                     const AeadParameters& parameters, ByteView in,
                                                     MutableBytes out) {
  COFFER_TRY(CheckAlive());
  COFFER_TRY(CheckOpening(parameters, in, out));
  const ChaCha20Poly1305Parameters raw = ChaCha20Of(parameters);
  return DecryptAead({MechanismType::kChaCha20Poly1305, RawBytes(raw)}, key, in, out);
}

Result<Bytes> Session::Encrypt(const Mechanism& mechanism, ObjectHandle key, ByteView in) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kEncrypt,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  const Functions& functions = module_->functions;
  CK_RV rv = functions->C_EncryptInit(handle_, &raw, key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_EncryptInit"));
  CK_ULONG size = 0;
  rv = functions->C_Encrypt(handle_, InputPointer(in), in.size(), nullptr, &size);
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_Encrypt", Operation::kEncrypt));
  if (size > in.size() + kMaxGrowth) return Fail(FailedLength(size, "C_Encrypt"));
  Bytes out(size == 0 ? 1 : size);
  size = out.size();
  rv = functions->C_Encrypt(handle_, InputPointer(in), in.size(), out.data(), &size);
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_Encrypt", Operation::kEncrypt));
  if (size > out.size()) return Fail(FailedLength(size, "C_Encrypt"));
  out.resize(size);
  counted.Succeeded();
  return out;
}

Result<Bytes> Session::Decrypt(const Mechanism& mechanism, ObjectHandle key, ByteView in) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kDecrypt,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  const Functions& functions = module_->functions;
  CK_RV rv = functions->C_DecryptInit(handle_, &raw, key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_DecryptInit"));
  CK_ULONG size = 0;
  rv = functions->C_Decrypt(handle_, InputPointer(in), in.size(), nullptr, &size);
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_Decrypt", Operation::kDecrypt));
  if (size > in.size() + kMaxGrowth) return Fail(FailedLength(size, "C_Decrypt"));
  Bytes out(size == 0 ? 1 : size);
  size = out.size();
  rv = functions->C_Decrypt(handle_, InputPointer(in), in.size(), out.data(), &size);
  if (rv == CKR_OK && size <= out.size()) {
    out.resize(size);
    counted.Succeeded();
    return out;
  }
  SecureWipe(out.data(), out.size());
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_Decrypt", Operation::kDecrypt));
  return Fail(FailedLength(size, "C_Decrypt"));
}

Result<std::size_t> Session::Sign(const Mechanism& mechanism, ObjectHandle key, ByteView data,
                                  MutableBytes out) {
  COFFER_TRY(CheckAlive());
  if (out.empty()) return Fail(Code::kInvalid, "a signature needs room");
  OperationCounters::Operation counted(module_->counters, OperationKind::kSign,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  const Functions& functions = module_->functions;
  CK_RV rv = functions->C_SignInit(handle_, &raw, key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_SignInit"));
  CK_ULONG size = out.size();
  rv = functions->C_Sign(handle_, InputPointer(data), data.size(), out.data(), &size);
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_Sign", Operation::kSign));
  if (size > out.size()) return Fail(FailedLength(size, "C_Sign"));
  counted.Succeeded();
  return size;
}

Status Session::Verify(const Mechanism& mechanism, ObjectHandle key, ByteView data,
                       ByteView signature) {
  COFFER_TRY(CheckAlive());
  OperationCounters::Operation counted(module_->counters, OperationKind::kVerify,
                                       MechanismIndex(mechanism.type));
  CK_MECHANISM raw = ToCk(mechanism);
  const Functions& functions = module_->functions;
  CK_RV rv = functions->C_VerifyInit(handle_, &raw, key);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_VerifyInit"));
  rv = functions->C_Verify(handle_, InputPointer(data), data.size(), InputPointer(signature),
                           signature.size());
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_Verify", Operation::kVerify));
  counted.Succeeded();
  return {};
}

Result<Bytes> Session::DigestKey(const Mechanism& mechanism, ObjectHandle key) {
  COFFER_TRY(CheckAlive());
  CK_MECHANISM raw = ToCk(mechanism);
  const Functions& functions = module_->functions;
  CK_RV rv = functions->C_DigestInit(handle_, &raw);
  if (rv != CKR_OK) return Fail(Failed(rv, "C_DigestInit"));
  rv = functions->C_DigestKey(handle_, key);
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_DigestKey", Operation::kDigest));
  Bytes digest(kMaxDigestOctets);
  CK_ULONG size = digest.size();
  rv = functions->C_DigestFinal(handle_, digest.data(), &size);
  if (rv != CKR_OK) return Fail(FailedMidway(rv, "C_DigestFinal", Operation::kDigest));
  if (size > digest.size()) return Fail(FailedLength(size, "C_DigestFinal"));
  digest.resize(size);
  return digest;
}

Status Session::GenerateRandom(MutableBytes out) {
  COFFER_TRY(CheckAlive());
  if (out.empty()) return {};
  OperationCounters::Operation counted(module_->counters, OperationKind::kGenerateRandom, 0);
  const CK_RV rv = module_->functions->C_GenerateRandom(handle_, out.data(), out.size());
  if (rv != CKR_OK) return Fail(Failed(rv, "C_GenerateRandom"));
  counted.Succeeded();
  return {};
}

}  // namespace coffer::pkcs11
