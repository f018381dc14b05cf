#include "coffer/crypto/ecdsa.h"

#include <utility>

#include "coffer/crypto/digest.h"
#include "coffer/crypto/public_key.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t kPointOctets = 65;
constexpr std::size_t kSignatureOctets = 64;

auto NotOnTheCurve() { return Fail(Code::kInvalid, "not a public key on the curve P-256"); }

}  // namespace

struct EcdsaP256Key::Impl {
  PublicKey::Shared key;

  static Result<EcdsaP256Key> Narrow(const Result<PublicKey::Shared>& read) {
    const bool fits = read && (*read)->kind() == PublicKey::Kind::kEcdsa && (*read)->Bits() == 256;
    if (!fits) return NotOnTheCurve();
    return EcdsaP256Key(std::make_unique<Impl>(Impl{*read}));
  }
};

EcdsaP256Key::EcdsaP256Key(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EcdsaP256Key::EcdsaP256Key(EcdsaP256Key&&) noexcept = default;
EcdsaP256Key& EcdsaP256Key::operator=(EcdsaP256Key&&) noexcept = default;
EcdsaP256Key::~EcdsaP256Key() = default;

Result<EcdsaP256Key> EcdsaP256Key::FromPem(std::string_view pem) {
  return Impl::Narrow(PublicKey::FromPem(pem));
}

Result<EcdsaP256Key> EcdsaP256Key::FromDer(ByteView spki) {
  return Impl::Narrow(PublicKey::FromSpki(spki));
}

Result<EcdsaP256Key> EcdsaP256Key::FromPoint(ByteView point) {
  if (point.size() != kPointOctets) return NotOnTheCurve();
  Bytes octet_string{0x04, kPointOctets};  // DER
  octet_string.insert(octet_string.end(), point.begin(), point.end());
  return Impl::Narrow(PublicKey::FromEcPoint(Curve::kP256, octet_string));
}

std::string EcdsaP256Key::Pem() const { return impl_->key->Pem(); }

Bytes EcdsaP256Key::Der() const { return impl_->key->Spki(); }

bool EcdsaP256Key::Verify(ByteView message, ByteView signature) const {
  return signature.size() == kSignatureOctets &&
         impl_->key->VerifyEcdsa(Sha256(message), EcdsaToDer(signature));
}

}  // namespace coffer::crypto
