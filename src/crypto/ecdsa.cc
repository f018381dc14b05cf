#include "coffer/crypto/ecdsa.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <climits>
#include <utility>

namespace coffer::crypto {
namespace {

constexpr std::size_t kPointOctets = 65;
constexpr int kIntegerOctets = 32;
// SubjectPublicKeyInfo of a P-256 key up to the point (RFC 5480).
constexpr std::array<std::uint8_t, 26> kSpkiHead{
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

auto NoKey() { return Fail(Code::kInvalid, "not a public key on the curve P-256"); }

bool IsP256(EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return ::EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

struct FreeSignature {
  void operator()(ECDSA_SIG* signature) const { ::ECDSA_SIG_free(signature); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const { ::BIO_free(bio); }
};

// r || s as DER, which OpenSSL wants.
Bytes ToDer(ByteView signature) {
  const std::unique_ptr<ECDSA_SIG, FreeSignature> pair(::ECDSA_SIG_new());
  BIGNUM* const r = ::BN_bin2bn(signature.data(), kIntegerOctets, nullptr);
  BIGNUM* const s = ::BN_bin2bn(signature.data() + kIntegerOctets, kIntegerOctets, nullptr);
  if (pair == nullptr || ::ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    ::BN_free(r);
    ::BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = ::i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  ::OPENSSL_free(der);
  return out;
}

}  // namespace

struct EcdsaP256Key::Impl {
  explicit Impl(EVP_PKEY* given) : key(given) {}
  ~Impl() { ::EVP_PKEY_free(key); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  EVP_PKEY* key;
};

EcdsaP256Key::EcdsaP256Key(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EcdsaP256Key::EcdsaP256Key(EcdsaP256Key&&) noexcept = default;
EcdsaP256Key& EcdsaP256Key::operator=(EcdsaP256Key&&) noexcept = default;
EcdsaP256Key::~EcdsaP256Key() = default;

Result<EcdsaP256Key> EcdsaP256Key::FromPem(std::string_view pem) {
  if (pem.size() > INT_MAX) return NoKey();
  const std::unique_ptr<BIO, FreeBio> bio(
      ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return NoKey();
  auto impl = std::make_unique<Impl>(::PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (impl->key == nullptr || !IsP256(impl->key)) return NoKey();
  return EcdsaP256Key(std::move(impl));
}

Result<EcdsaP256Key> EcdsaP256Key::FromDer(ByteView spki) {
  const unsigned char* at = spki.data();
  if (spki.size() > LONG_MAX) return NoKey();
  auto impl = std::make_unique<Impl>(::d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  if (impl->key == nullptr || at != spki.data() + spki.size() || !IsP256(impl->key)) {
    return NoKey();
  }
  return EcdsaP256Key(std::move(impl));
}

Result<EcdsaP256Key> EcdsaP256Key::FromPoint(ByteView point) {
  if (point.size() != kPointOctets || point.front() != 0x04) return NoKey();
  Bytes spki(kSpkiHead.begin(), kSpkiHead.end());
  spki.insert(spki.end(), point.begin(), point.end());
  return FromDer(spki);
}

std::string EcdsaP256Key::Pem() const {
  const std::unique_ptr<BIO, FreeBio> bio(::BIO_new(::BIO_s_mem()));
  if (bio == nullptr || ::PEM_write_bio_PUBKEY(bio.get(), impl_->key) != 1) return {};
  char* text = nullptr;
  const long size = ::BIO_get_mem_data(bio.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

Bytes EcdsaP256Key::Der() const {
  unsigned char* der = nullptr;
  const int size = ::i2d_PUBKEY(impl_->key, &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  ::OPENSSL_free(der);
  return out;
}

bool EcdsaP256Key::Verify(ByteView message, ByteView signature) const {
  if (signature.size() != std::size_t{2} * kIntegerOctets) return false;
  const Bytes der = ToDer(signature);
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(::EVP_MD_CTX_new());
  return !der.empty() && context != nullptr &&
         ::EVP_DigestVerifyInit(context.get(), nullptr, ::EVP_sha256(), nullptr, impl_->key) == 1 &&
         ::EVP_DigestVerify(context.get(), der.data(), der.size(), message.data(),
                            message.size()) == 1;
}

}  // namespace coffer::crypto
