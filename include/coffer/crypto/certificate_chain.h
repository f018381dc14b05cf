#pragma once

// Chains of X.509 certificates. Immutable values, which the caller owns; any thread. Errors:
// Refusal::kCertificatesUnreadable, with the reason.

#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer::crypto {

// X.509 certificates (RFC 5280) in the order in which TLS sends them: a key's own first, then each
// one's issuer. Immutable.
class CertificateChain {
 public:
  // Reads certificates in PEM and ignores the text between them. kCertificatesUnreadable, with the
  // reason: none, too many or too long; the first is an authority's, or a later one is not; one is
  // not signed by the next. Validity times, names and trust are not checked: that is for those who
  // use the chain.
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
