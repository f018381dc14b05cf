#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/crypto/digest.h"
#include "coffer/crypto/public_key.h"

namespace coffer::crypto {

// A PKCS#10 request (RFC 2986) for a key whose private part is in the token: ToBeSigned() gives the
// bytes to sign, Finish() takes the signature. RSA keys sign with PKCS#1 v1.5 and SHA-256, ECDSA
// keys with the SHA-2 hash of their curve's strength, Ed25519 keys without a hash of their own. One
// thread at a time.
class CertificateRequest {
 public:
  // Subject and attributes of the request in `pem`, whatever key made it; an empty subject where
  // `pem` is empty. kInvalid "could not decode PEM CSR".
  static Result<CertificateRequest> FromTemplate(std::string_view pem, const PublicKey& key);
  CertificateRequest(CertificateRequest&&) noexcept;
  ~CertificateRequest();

  // DER of the CertificationRequestInfo.
  const Bytes& ToBeSigned() const { return to_be_signed_; }
  // The hash with which ECDSA and RSA keys sign it.
  HashAlgorithm Hash() const { return hash_; }
  // The whole request in PEM. kInvalid where the signature (ECDSA: DER) is not of this key.
  Result<std::string> Finish(ByteView signature);

 private:
  struct Handle;
  explicit CertificateRequest(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
  Bytes to_be_signed_;
  HashAlgorithm hash_ = HashAlgorithm::kSha256;
};

}  // namespace coffer::crypto
