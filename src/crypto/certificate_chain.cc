#include "coffer/crypto/certificate_chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <utility>
#include <vector>

#include "openssl_scope.h"

namespace coffer::crypto {
namespace {

using CertificatePointer = std::unique_ptr<X509, FreeWith<::X509_free>>;
using TextPointer = std::unique_ptr<BIO, FreeWith<::BIO_free>>;

constexpr std::size_t kMaxChainBytes = 65'536;
constexpr std::size_t kMaxCertificates = 16;

auto Unkeepable(std::string why) {
  return Fail(Refusal::kCertificatesUnreadable, {.detail = std::move(why)});
}

bool IsAuthority(X509* certificate) {
  return (::X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
}

Result<std::vector<CertificatePointer>> ReadAll(std::string_view pem) {
  if (pem.size() > kMaxChainBytes) {
    return Unkeepable("it is longer than " + std::to_string(kMaxChainBytes) + " bytes");
  }
  const TextPointer in(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<CertificatePointer> found;
  while (in) {
    CertificatePointer next(::PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    found.push_back(std::move(next));
    if (found.size() > kMaxCertificates) {
      return Unkeepable("it has more than " + std::to_string(kMaxCertificates) + " certificates");
    }
  }
  // At the end OpenSSL finds no further begin; any other reason is a block that cannot be read.
  if (ERR_GET_REASON(::ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return Unkeepable("a certificate cannot be read");
  }
  if (found.empty()) return Unkeepable("it has no certificate in PEM");
  return found;
}

Status CheckOrder(const std::vector<CertificatePointer>& chain) {
  if (IsAuthority(chain.front().get())) {
    return Unkeepable("its first certificate is an authority's and not the key's own");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const std::string place = std::to_string(i + 1);
    if (!IsAuthority(chain[i].get())) {
      return Unkeepable("its certificate number " + place + " is not an authority's");
    }
    EVP_PKEY* const signer = ::X509_get0_pubkey(chain[i].get());
    if (signer == nullptr || ::X509_verify(chain[i - 1].get(), signer) != 1) {
      return Unkeepable("its certificate number " + place + " did not sign the one before it");
    }
  }
  return {};
}

}  // namespace

Result<CertificateChain> CertificateChain::FromPem(std::string_view pem) {
  const ErrorMark mark;
  COFFER_ASSIGN(const auto chain, ReadAll(pem));
  COFFER_TRY(CheckOrder(chain));
  CertificateChain made;
  unsigned char* der = nullptr;
  const int size = ::i2d_X509_PUBKEY(::X509_get_X509_PUBKEY(chain.front().get()), &der);
  if (size <= 0) return Fail(Code::kInternal, "", "OpenSSL failed to write a public key");
  made.spki_.assign(der, der + size);
  ::OPENSSL_free(der);
  const TextPointer out(::BIO_new(::BIO_s_mem()));
  for (const CertificatePointer& certificate : chain) {
    if (!out || ::PEM_write_bio_X509(out.get(), certificate.get()) != 1) {
      return Fail(Code::kInternal, "", "OpenSSL failed to write a certificate");
    }
  }
  char* text = nullptr;
  const long length = ::BIO_get_mem_data(out.get(), &text);
  made.pem_.assign(text, static_cast<std::size_t>(length));
  return made;
}

}  // namespace coffer::crypto
