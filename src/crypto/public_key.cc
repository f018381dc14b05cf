#include "coffer/crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "openssl_scope.h"

namespace coffer::crypto {
namespace {

using PkeyPointer = std::unique_ptr<EVP_PKEY, FreeWith<::EVP_PKEY_free>>;
using ContextPointer = std::unique_ptr<EVP_PKEY_CTX, FreeWith<::EVP_PKEY_CTX_free>>;
using NumberPointer = std::unique_ptr<BIGNUM, FreeWith<::BN_free>>;
using BuilderPointer = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<::OSSL_PARAM_BLD_free>>;
using ParamsPointer = std::unique_ptr<OSSL_PARAM, FreeWith<::OSSL_PARAM_free>>;
using BioPointer = std::unique_ptr<BIO, FreeWith<::BIO_free>>;
using StringPointer = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<::ASN1_OCTET_STRING_free>>;

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr std::size_t kEd25519Octets = 32;

struct NamedCurve {
  Curve curve;
  const char* group;  // as OpenSSL names it
  int bits;
};
constexpr std::array kCurves{NamedCurve{Curve::kP256, "prime256v1", 256},
                             NamedCurve{Curve::kP384, "secp384r1", 384},
                             NamedCurve{Curve::kP521, "secp521r1", 521}};

auto Unusable() { return Fail(Code::kInvalid, "public key cannot be used"); }

const char* DigestName(HashAlgorithm hash) {
  static constexpr std::array kNames{"SHA1",     "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512",
                                     "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"};
  return kNames.at(static_cast<std::size_t>(hash));
}

// The bytes in a DER OCTET STRING that is the whole input; nothing otherwise.
std::optional<Bytes> InOctetString(ByteView der) {
  if (!FitsLong(der)) return std::nullopt;
  const unsigned char* at = der.data();
  const StringPointer string(::d2i_ASN1_OCTET_STRING(nullptr, &at, static_cast<long>(der.size())));
  if (!string || at != der.data() + der.size()) return std::nullopt;
  const unsigned char* const data = ::ASN1_STRING_get0_data(string.get());
  return Bytes(data, data + ::ASN1_STRING_length(string.get()));
}

PkeyPointer FromParams(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPointer params(::OSSL_PARAM_BLD_to_param(builder));
  const ContextPointer context(::EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || ::EVP_PKEY_fromdata_init(context.get()) != 1 ||
      ::EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return PkeyPointer(key);
}

// `point`: uncompressed or compressed.
PkeyPointer FromPoint(Curve curve, ByteView point) {
  const BuilderPointer builder(::OSSL_PARAM_BLD_new());
  const char* const group = kCurves.at(static_cast<std::size_t>(curve)).group;
  if (!builder ||
      ::OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      ::OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1) {
    return nullptr;
  }
  return FromParams("EC", builder.get());
}

Bytes SpkiOf(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = ::i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  Bytes spki(der, der + size);
  ::OPENSSL_free(der);
  return spki;
}

bool IsKnownCurve(EVP_PKEY* key, int bits) {
  std::array<char, 64> group{};
  if (::EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return false;
  return std::any_of(kCurves.begin(), kCurves.end(), [&](const NamedCurve& known) {
    return known.bits == bits && std::string_view(known.group) == group.data();
  });
}

NumberPointer NumberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (::EVP_PKEY_get_bn_param(key, name, &number) != 1) return nullptr;
  return NumberPointer(number);
}

// An odd modulus and an odd exponent between 2^16 and 2^64. Smaller exponents give messages away (1
// at once); with larger ones OpenSSL does nothing for a modulus above 3072 bits, and makes each
// verification slower. An even modulus is no product of two large primes.
bool IsUsableRsa(EVP_PKEY* key) {
  const NumberPointer n = NumberOf(key, OSSL_PKEY_PARAM_RSA_N);
  const NumberPointer e = NumberOf(key, OSSL_PKEY_PARAM_RSA_E);
  return n && e && ::BN_is_odd(n.get()) == 1 && ::BN_is_odd(e.get()) == 1 &&
         ::BN_num_bits(e.get()) > 16 && ::BN_num_bits(e.get()) <= 64;
}

// Empty where the key has no such number.
Bytes BytesOfNumber(EVP_PKEY* key, const char* name, std::size_t width = 0) {
  const NumberPointer number = NumberOf(key, name);
  if (!number) return {};
  const auto least = static_cast<std::size_t>(BN_num_bytes(number.get()));
  Bytes out(std::max(least, width));
  const int written = ::BN_bn2binpad(number.get(), out.data(), static_cast<int>(out.size()));
  return written < 0 ? Bytes() : out;
}

bool SetPadding(EVP_PKEY_CTX* context, int padding, const std::optional<HashAlgorithm>& hash) {
  if (::EVP_PKEY_CTX_set_rsa_padding(context, padding) != 1) return false;
  if (!hash) return true;
  const EVP_MD* const digest = ::EVP_get_digestbyname(DigestName(*hash));
  return digest != nullptr && ::EVP_PKEY_CTX_set_signature_md(context, digest) == 1;
}

}  // namespace

struct PublicKey::Handle {
  PkeyPointer key;
};

PublicKey::PublicKey(std::unique_ptr<Handle> handle, Kind kind, int bits, Bytes spki)
    : handle_(std::move(handle)), kind_(kind), bits_(bits), spki_(std::move(spki)) {}
PublicKey::~PublicKey() = default;

Result<PublicKey::Shared> PublicKey::Adopt(std::unique_ptr<Handle> handle) {
  EVP_PKEY* const key = handle->key.get();
  if (key == nullptr) return Unusable();
  const int bits = ::EVP_PKEY_get_bits(key);
  Kind kind{};
  if (::EVP_PKEY_is_a(key, "RSA") == 1 && bits >= kMinRsaBits && bits <= kMaxRsaBits &&
      IsUsableRsa(key)) {
    kind = Kind::kRsa;
  } else if (::EVP_PKEY_is_a(key, "EC") == 1 && IsKnownCurve(key, bits)) {
    kind = Kind::kEcdsa;
  } else if (::EVP_PKEY_is_a(key, "ED25519") == 1) {
    kind = Kind::kEd25519;
  } else {
    return Unusable();
  }
  Bytes spki = SpkiOf(key);
  if (spki.empty()) return Unusable();
  Shared adopted(new PublicKey(std::move(handle), kind, bits, std::move(spki)));
  if (kind == Kind::kEcdsa && !adopted->IsSound()) return Unusable();
  return adopted;
}

Result<PublicKey::Shared> PublicKey::FromSpki(ByteView der) {
  const ErrorMark mark;
  if (!FitsLong(der)) return Unusable();
  const unsigned char* at = der.data();
  PkeyPointer key(::d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != der.data() + der.size()) return Unusable();
  return Adopt(std::make_unique<Handle>(Handle{std::move(key)}));
}

Result<PublicKey::Shared> PublicKey::FromPem(std::string_view pem) {
  const ErrorMark mark;
  if (pem.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return Unusable();
  const BioPointer bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return Unusable();
  PkeyPointer key(::PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  return Adopt(std::make_unique<Handle>(Handle{std::move(key)}));
}

Result<PublicKey::Shared> PublicKey::FromRsa(ByteView modulus, ByteView exponent) {
  const ErrorMark mark;
  if (modulus.size() > 2048 || exponent.size() > 2048) return Unusable();
  const NumberPointer n(::BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const NumberPointer e(::BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  const BuilderPointer builder(::OSSL_PARAM_BLD_new());
  if (!n || !e || !builder ||
      ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return Unusable();
  }
  return Adopt(std::make_unique<Handle>(Handle{FromParams("RSA", builder.get())}));
}

Result<PublicKey::Shared> PublicKey::FromEcPoint(Curve curve, ByteView octet_string) {
  const ErrorMark mark;
  const std::optional<Bytes> point = InOctetString(octet_string);
  if (!point) return Unusable();
  return Adopt(std::make_unique<Handle>(Handle{FromPoint(curve, *point)}));
}

Result<PublicKey::Shared> PublicKey::FromCompressed(Curve curve, std::uint8_t sign, ByteView x) {
  const ErrorMark mark;
  Bytes point{sign};
  point.insert(point.end(), x.begin(), x.end());
  return Adopt(std::make_unique<Handle>(Handle{FromPoint(curve, point)}));
}

Result<PublicKey::Shared> PublicKey::FromEd25519(ByteView point) {
  const ErrorMark mark;
  Bytes raw(point.begin(), point.end());
  if (raw.size() != kEd25519Octets) {
    std::optional<Bytes> inside = InOctetString(point);
    if (!inside || inside->size() != kEd25519Octets) return Unusable();
    raw = std::move(*inside);
  }
  PkeyPointer key(::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw.data(), raw.size()));
  return Adopt(std::make_unique<Handle>(Handle{std::move(key)}));
}

std::string PublicKey::Pem() const {
  const ErrorMark mark;
  const BioPointer bio(::BIO_new(::BIO_s_mem()));
  if (!bio || ::PEM_write_bio_PUBKEY(bio.get(), handle_->key.get()) != 1) return {};
  char* data = nullptr;
  const long size = ::BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Bytes PublicKey::Modulus() const {
  return BytesOfNumber(handle_->key.get(), OSSL_PKEY_PARAM_RSA_N);
}

Bytes PublicKey::Exponent() const {
  return BytesOfNumber(handle_->key.get(), OSSL_PKEY_PARAM_RSA_E);
}

Bytes PublicKey::Point() const {
  if (kind_ != Kind::kEcdsa) return {};
  const auto width = static_cast<std::size_t>((bits_ + 7) / 8);
  Bytes point{4};
  for (const char* const name : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
    const Bytes coordinate = BytesOfNumber(handle_->key.get(), name, width);
    point.insert(point.end(), coordinate.begin(), coordinate.end());
  }
  return point;
}

Bytes PublicKey::Raw() const {
  Bytes raw(kEd25519Octets);
  std::size_t size = raw.size();
  if (::EVP_PKEY_get_raw_public_key(handle_->key.get(), raw.data(), &size) != 1) return {};
  raw.resize(size);
  return raw;
}

bool PublicKey::VerifyEcdsa(ByteView digest, ByteView signature) const {
  if (kind_ != Kind::kEcdsa) return false;
  const ErrorMark mark;
  const ContextPointer context(::EVP_PKEY_CTX_new(handle_->key.get(), nullptr));
  return context && ::EVP_PKEY_verify_init(context.get()) == 1 &&
         ::EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                           digest.size()) == 1;
}

bool PublicKey::VerifyEd25519(ByteView message, ByteView signature) const {
  if (kind_ != Kind::kEd25519) return false;
  const ErrorMark mark;
  const std::unique_ptr<EVP_MD_CTX, FreeWith<::EVP_MD_CTX_free>> context(::EVP_MD_CTX_new());
  return context &&
         ::EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, handle_->key.get()) ==
             1 &&
         ::EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

bool PublicKey::VerifyPkcs1(std::optional<HashAlgorithm> hash, ByteView digest,
                            ByteView signature) const {
  if (kind_ != Kind::kRsa || signature.size() != static_cast<std::size_t>((bits_ + 7) / 8)) {
    return false;
  }
  if (hash && digest.size() != HashSize(*hash)) return false;
  const ErrorMark mark;
  const ContextPointer context(::EVP_PKEY_CTX_new(handle_->key.get(), nullptr));
  return context && ::EVP_PKEY_verify_init(context.get()) == 1 &&
         SetPadding(context.get(), RSA_PKCS1_PADDING, hash) &&
         ::EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                           digest.size()) == 1;
}

bool PublicKey::VerifyPss(HashAlgorithm hash, std::optional<int> salt_octets, ByteView digest,
                          ByteView signature) const {
  if (kind_ != Kind::kRsa || digest.size() != HashSize(hash) ||
      signature.size() != static_cast<std::size_t>((bits_ + 7) / 8)) {
    return false;
  }
  const ErrorMark mark;
  const ContextPointer context(::EVP_PKEY_CTX_new(handle_->key.get(), nullptr));
  return context && ::EVP_PKEY_verify_init(context.get()) == 1 &&
         SetPadding(context.get(), RSA_PKCS1_PSS_PADDING, hash) &&
         ::EVP_PKEY_CTX_set_rsa_pss_saltlen(
             context.get(), salt_octets ? *salt_octets : RSA_PSS_SALTLEN_AUTO) == 1 &&
         ::EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                           digest.size()) == 1;
}

Result<Bytes> PublicKey::EncryptOaep(HashAlgorithm hash, ByteView message) const {
  const std::size_t octets = static_cast<std::size_t>((bits_ + 7) / 8);
  if (kind_ != Kind::kRsa) return Unusable();
  if (message.size() + 2 * HashSize(hash) + 2 > octets) {
    return Fail(Refusal::kMessageTooLong);
  }
  const ErrorMark mark;
  const ContextPointer context(::EVP_PKEY_CTX_new(handle_->key.get(), nullptr));
  const EVP_MD* const digest = ::EVP_get_digestbyname(DigestName(hash));
  static constexpr std::uint8_t kNothing = 0;  // OpenSSL takes no null for an empty message
  Bytes out(octets);
  std::size_t size = out.size();
  if (!context || digest == nullptr || ::EVP_PKEY_encrypt_init(context.get()) != 1 ||
      ::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      ::EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), digest) != 1 ||
      ::EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), digest) != 1 ||
      ::EVP_PKEY_encrypt(context.get(), out.data(), &size,
                         message.empty() ? &kNothing : message.data(), message.size()) != 1 ||
      size != octets) {
    return Fail(Code::kInternal, "", "RSA encryption failed");
  }
  return out;
}

bool PublicKey::IsSound() const {
  const ErrorMark mark;
  const ContextPointer context(::EVP_PKEY_CTX_new(handle_->key.get(), nullptr));
  return context && ::EVP_PKEY_public_check(context.get()) == 1;
}

bool PublicKey::InRange(ByteView number) const {
  if (kind_ != Kind::kRsa || number.size() != static_cast<std::size_t>((bits_ + 7) / 8)) {
    return false;
  }
  const NumberPointer n = NumberOf(handle_->key.get(), OSSL_PKEY_PARAM_RSA_N);
  const NumberPointer value(::BN_bin2bn(number.data(), static_cast<int>(number.size()), nullptr));
  return n && value && ::BN_cmp(value.get(), n.get()) < 0;
}

Bytes GeneratorPoint(Curve curve) {
  const int nid = ::OBJ_sn2nid(kCurves.at(static_cast<std::size_t>(curve)).group);
  const std::unique_ptr<EC_GROUP, FreeWith<::EC_GROUP_free>> group(
      ::EC_GROUP_new_by_curve_name(nid));
  if (!group) return {};
  Bytes point(256);
  point.resize(::EC_POINT_point2oct(group.get(), ::EC_GROUP_get0_generator(group.get()),
                                    POINT_CONVERSION_UNCOMPRESSED, point.data(), point.size(),
                                    nullptr));
  return point;
}

}  // namespace coffer::crypto
