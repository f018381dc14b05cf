#include "coffer/crypto/certificate_request.h"

#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <utility>

#include "openssl_scope.h"

namespace coffer::crypto {
namespace {

using RequestPointer = std::unique_ptr<X509_REQ, FreeWith<::X509_REQ_free>>;
using PkeyPointer = std::unique_ptr<EVP_PKEY, FreeWith<::EVP_PKEY_free>>;
using BioPointer = std::unique_ptr<BIO, FreeWith<::BIO_free>>;
using AlgorithmPointer = std::unique_ptr<X509_ALGOR, FreeWith<::X509_ALGOR_free>>;
using BitsPointer = std::unique_ptr<ASN1_BIT_STRING, FreeWith<::ASN1_BIT_STRING_free>>;

constexpr std::size_t kMaxTemplate = 65'536;

struct SignatureAlgorithm {
  int nid = NID_undef;
  int parameters = V_ASN1_UNDEF;  // RFC 4055: NULL for RSA; RFC 5758, 8410: none for the others
  HashAlgorithm hash = HashAlgorithm::kSha256;
};

SignatureAlgorithm AlgorithmOf(const PublicKey& key) {
  switch (key.kind()) {
    case PublicKey::Kind::kRsa:
      return {NID_sha256WithRSAEncryption, V_ASN1_NULL, HashAlgorithm::kSha256};
    case PublicKey::Kind::kEd25519:
      return {NID_ED25519, V_ASN1_UNDEF, HashAlgorithm::kSha256};
    case PublicKey::Kind::kEcdsa:
      break;
  }
  if (key.Bits() == 384) {
    return {NID_ecdsa_with_SHA384, V_ASN1_UNDEF, HashAlgorithm::kSha384};
  }
  if (key.Bits() == 521) {
    return {NID_ecdsa_with_SHA512, V_ASN1_UNDEF, HashAlgorithm::kSha512};
  }
  return {NID_ecdsa_with_SHA256, V_ASN1_UNDEF, HashAlgorithm::kSha256};
}

RequestPointer ReadTemplate(std::string_view pem) {
  if (pem.empty()) {
    RequestPointer request(::X509_REQ_new());
    if (request && ::X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1) return nullptr;
    return request;
  }
  if (pem.size() > kMaxTemplate) return nullptr;
  const BioPointer bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return nullptr;
  return RequestPointer(::PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
}

auto Unmakeable() {
  return Fail(Code::kInternal, "", "OpenSSL failed to make a certificate request");
}

}  // namespace

struct CertificateRequest::Handle {
  RequestPointer request;
  PkeyPointer key;
};

CertificateRequest::CertificateRequest(std::unique_ptr<Handle> handle)
    : handle_(std::move(handle)) {}
CertificateRequest::CertificateRequest(CertificateRequest&&) noexcept = default;
CertificateRequest::~CertificateRequest() = default;

Result<CertificateRequest> CertificateRequest::FromTemplate(std::string_view pem,
                                                            const PublicKey& key) {
  const ErrorMark mark;
  RequestPointer request = ReadTemplate(pem);
  if (!request) return Fail(Refusal::kCertificateRequestUnreadable);
  const unsigned char* at = key.Spki().data();
  PkeyPointer parsed(::d2i_PUBKEY(nullptr, &at, static_cast<long>(key.Spki().size())));
  const SignatureAlgorithm signs = AlgorithmOf(key);
  const AlgorithmPointer algorithm(::X509_ALGOR_new());
  if (!parsed || !algorithm || ::X509_REQ_set_pubkey(request.get(), parsed.get()) != 1 ||
      ::X509_ALGOR_set0(algorithm.get(), ::OBJ_nid2obj(signs.nid), signs.parameters, nullptr) !=
          1 ||
      ::X509_REQ_set1_signature_algo(request.get(), algorithm.get()) != 1) {
    return Unmakeable();
  }
  unsigned char* der = nullptr;
  const int size = ::i2d_re_X509_REQ_tbs(request.get(), &der);
  if (size <= 0) return Unmakeable();
  CertificateRequest made(std::make_unique<Handle>(Handle{std::move(request), std::move(parsed)}));
  made.to_be_signed_.assign(der, der + size);
  made.hash_ = signs.hash;
  ::OPENSSL_free(der);
  return made;
}

Result<std::string> CertificateRequest::Finish(ByteView signature) {
  const ErrorMark mark;
  BitsPointer bits(::ASN1_BIT_STRING_new());
  if (!bits || signature.size() > kMaxTemplate ||
      ::ASN1_STRING_set(bits.get(), signature.data(), static_cast<int>(signature.size())) != 1) {
    return Unmakeable();
  }
  // Whole bytes: else OpenSSL would cut zeros off the end.
  bits->flags = (bits->flags & ~0x07L) | ASN1_STRING_FLAG_BITS_LEFT;
  ::X509_REQ_set0_signature(handle_->request.get(), bits.release());
  if (::X509_REQ_verify(handle_->request.get(), handle_->key.get()) != 1) {
    return Fail(Code::kInvalid, "signature is not of the request's key");
  }
  const BioPointer bio(::BIO_new(::BIO_s_mem()));
  if (!bio || ::PEM_write_bio_X509_REQ(bio.get(), handle_->request.get()) != 1) {
    return Unmakeable();
  }
  char* data = nullptr;
  const long length = ::BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(length));
}

}  // namespace coffer::crypto
