#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/pkcs11/attributes.h"
#include "coffer/pkcs11/types.h"

namespace coffer::pkcs11 {

struct ModuleState;  // pkcs11/src only

struct KeyPair {
  ObjectHandle public_key = kNoObject;
  ObjectHandle private_key = kNoObject;
};

// A mechanism with its parameter, if any. Views are borrowed for the call.
struct Mechanism {
  MechanismType type;
  ByteView parameter{};  // raw parameter bytes (IV, derivation data wrapped by Derive); empty: none
  // NOLINTNEXTLINE(google-explicit-constructor): a bare type is a mechanism without parameter
  Mechanism(MechanismType mechanism) : type(mechanism) {}
  Mechanism(MechanismType mechanism, ByteView raw) : type(mechanism), parameter(raw) {}
};

// AES-GCM and ChaCha20-Poly1305 as the token does them: 96-bit IV by the caller, 128-bit tag at the
// end of the ciphertext.
inline constexpr std::size_t kAeadTagBytes = 16;
struct AeadParameters {
  ByteView iv;   // 12 bytes
  ByteView aad;  // may be empty
};

struct HkdfParameters {
  MechanismType hash = MechanismType::kSha256;
  ByteView salt;  // empty: none, which is a hash's length of zeros
  ByteView info;
};

// One open session. Move-only: a copy could close the session under its origin. One thread at a
// time; one operation at a time. Closes in the destructor (which ends the session objects made
// through it) and never logs out: login belongs to the token. After an operation that failed
// half-way the token is asked whether anything is still active; unless it says no, Broken() is true
// and the session should be discarded (SessionPool does). Every length from the token is checked
// against the buffer; a wrong one is kTokenFailed and breaks the session. EncryptGcm, DecryptGcm,
// their ChaCha20 twins, Sign and GenerateRandom do not allocate on success. Errors: FromCkRv's,
// kInvalid for buffers that are too small.
class Session {
 public:
  Session(Session&& other) noexcept;
  Session& operator=(Session&& other) noexcept;
  ~Session();

  Result<ObjectHandle> GenerateKey(const Mechanism& mechanism, const Attributes& attributes);
  Result<KeyPair> GenerateKeyPair(const Mechanism& mechanism, const Attributes& public_attributes,
                                  const Attributes& private_attributes);
  Result<ObjectHandle> CreateObject(const Attributes& attributes);
  Result<ObjectHandle> CopyObject(ObjectHandle object, const Attributes& attributes);
  Status SetAttributes(ObjectHandle object, const Attributes& attributes);
  Status DestroyObject(ObjectHandle object);
  // All objects that match, however many.
  Result<std::vector<ObjectHandle>> Find(const Attributes& attributes);

  Result<Bytes> GetBytes(ObjectHandle object, AttributeType type);
  Result<bool> GetBool(ObjectHandle object, AttributeType type);
  Result<unsigned long> GetUlong(ObjectHandle object, AttributeType type);
  Result<std::vector<MechanismType>> GetMechanisms(ObjectHandle object, AttributeType type);
  // kWrapTemplate/kUnwrapTemplate read back. kTokenRefused where the token cannot return them.
  Result<Attributes> GetTemplate(ObjectHandle object, AttributeType type);

  Result<Bytes> WrapKey(const Mechanism& mechanism, ObjectHandle wrapping_key, ObjectHandle key);
  Result<ObjectHandle> UnwrapKey(const Mechanism& mechanism, ObjectHandle unwrapping_key,
                                 ByteView wrapped, const Attributes& attributes);
  // CKM_AES_ECB_ENCRYPT_DATA and kin: mechanism.parameter is the data
  // (CK_KEY_DERIVATION_STRING_DATA).
  Result<ObjectHandle> DeriveKey(const Mechanism& mechanism, ObjectHandle base_key,
                                 const Attributes& attributes);
  // CKM_ECDH1_DERIVE without a KDF: the shared secret with `public_point`, uncompressed.
  Result<ObjectHandle> DeriveEcdh(ObjectHandle base_key, ByteView public_point,
                                  const Attributes& attributes);
  // CKM_HKDF_DERIVE, extract and expand (RFC 5869); the output's length is the template's.
  Result<ObjectHandle> DeriveHkdf(ObjectHandle base_key, const HkdfParameters& parameters,
                                  const Attributes& attributes);

  // out must hold in.size() + 16; returns bytes written (ciphertext || tag).
  Result<std::size_t> EncryptGcm(ObjectHandle key, const AeadParameters& parameters, ByteView in,
                                 MutableBytes out);
  // out must hold in.size() bytes (SoftHSM needs that much), of which in.size() - 16 are used. A
  // bad tag is kTokenFailed on SoftHSM (CKR_GENERAL_ERROR): ask a canary.
  Result<std::size_t> DecryptGcm(ObjectHandle key, const AeadParameters& parameters, ByteView in,
                                 MutableBytes out);
  // CKM_CHACHA20_POLY1305 of PKCS#11 3.0, likewise.
  Result<std::size_t> EncryptChaCha20Poly1305(ObjectHandle key, const AeadParameters& parameters,
                                              ByteView in, MutableBytes out);
  Result<std::size_t> DecryptChaCha20Poly1305(ObjectHandle key, const AeadParameters& parameters,
                                              ByteView in, MutableBytes out);
  // Single-part, any other mechanism.
  Result<Bytes> Encrypt(const Mechanism& mechanism, ObjectHandle key, ByteView in);
  Result<Bytes> Decrypt(const Mechanism& mechanism, ObjectHandle key, ByteView in);
  // Returns bytes written to `out`.
  Result<std::size_t> Sign(const Mechanism& mechanism, ObjectHandle key, ByteView data,
                           MutableBytes out);
  Status Verify(const Mechanism& mechanism, ObjectHandle key, ByteView data, ByteView signature);
  // C_DigestKey: some tokens let it hash a secret key. For the attack tests.
  Result<Bytes> DigestKey(const Mechanism& mechanism, ObjectHandle key);
  Status GenerateRandom(MutableBytes out);

  // True too once the module was finalised under it: every call then fails with kTokenLost.
  bool Broken() const;

 private:
  friend class Module;
  enum class Operation;
  Session(std::shared_ptr<const ModuleState> module, unsigned long handle);
  Status CheckAlive() const;
  void CountMade(std::uint64_t objects) const;
  // The error of a failed call; Midway: of one that may have left `operation` active.
  Error Failed(unsigned long rv, const char* function);
  Error FailedMidway(unsigned long rv, const char* function, Operation operation);
  Error FailedLength(std::size_t size, const char* function);
  unsigned long Finish(Operation operation);
  Result<std::size_t> EncryptAead(const Mechanism& mechanism, ObjectHandle key, ByteView in,
                                  MutableBytes out);
  Result<std::size_t> DecryptAead(const Mechanism& mechanism, ObjectHandle key, ByteView in,
                                  MutableBytes out);
  void Close() noexcept;

  std::shared_ptr<const ModuleState> module_;
  std::uint64_t generation_ = 0;  // of the module when this was opened
  unsigned long handle_ = 0;
  bool broken_ = false;
};

}  // namespace coffer::pkcs11
