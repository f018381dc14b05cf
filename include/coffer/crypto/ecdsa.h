#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer::crypto {

// A public key on P-256 that checks ECDSA signatures over SHA-256 (FIPS 186-4). The keys that sign
// are in the token. Thread-safe.
class EcdsaP256Key {
 public:
  // SubjectPublicKeyInfo (RFC 5480) as PEM or DER; kInvalid for anything but a key on P-256.
  static Result<EcdsaP256Key> FromPem(std::string_view pem);
  static Result<EcdsaP256Key> FromDer(ByteView spki);
  // The uncompressed point, 65 bytes.
  static Result<EcdsaP256Key> FromPoint(ByteView point);
  EcdsaP256Key(EcdsaP256Key&&) noexcept;
  EcdsaP256Key& operator=(EcdsaP256Key&&) noexcept;
  ~EcdsaP256Key();

  std::string Pem() const;
  Bytes Der() const;
  // `signature` is r || s, 32 bytes each, as tokens give it out (PKCS#11 2.40, 2.3.1).
  bool Verify(ByteView message, ByteView signature) const;

 private:
  struct Impl;
  explicit EcdsaP256Key(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::crypto
