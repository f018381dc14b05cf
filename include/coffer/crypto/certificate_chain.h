#pragma once

#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer::crypto {

// X.509 certificates (RFC 5280) in the order in which TLS sends them: a key's own first, then each
// one's issuer. Immutable.
class CertificateChain {
 public:
  // Reads certificates in PEM; what stands between them is left out. kCertificatesUnreadable,
  // naming what is wrong: none, too many or too long, a certificate of an authority in the first
  // place or one of no authority behind it, one that the next did not sign. Times and names are not
  // checked, nor is there anybody who is trusted: the chain is kept for others to judge.
  static Result<CertificateChain> FromPem(std::string_view pem);

  // The certificates in PEM, written anew.
  const std::string& Pem() const { return pem_; }
  // SubjectPublicKeyInfo of the first.
  const Bytes& Spki() const { return spki_; }

 private:
  std::string pem_;
  Bytes spki_;
};

}  // namespace coffer::crypto
