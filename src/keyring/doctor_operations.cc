#include "keyring/doctor_operations.h"

#include <algorithm>
#include <array>
#include <utility>

#include "coffer/crypto/rsa_padding.h"
#include "coffer/pkcs11/parameters.h"
#include "keyring/key_derivation.h"
#include "keyring/passing_object.h"

namespace coffer::keyring {
namespace {

using crypto::HashAlgorithm;
using pkcs11::MechanismType;
using pkcs11::ObjectHandle;

constexpr std::size_t kMessageOctets = 1024;
constexpr std::size_t kTagOctets = 16;
constexpr std::array<std::uint8_t, 12> kIv{0x63, 0x6f, 0x66, 0x66, 0x65, 0x72};
constexpr std::array<std::uint8_t, 32> kSecret{0xc0, 0xff, 0xee};

const Bytes& Message() {
  static const Bytes message(kMessageOctets, 0x5a);
  return message;
}

const Bytes& Digest() {
  static const Bytes digest = crypto::Hash(HashAlgorithm::kSha256, Message());
  return digest;
}

auto Wrong(std::string_view what) {
  return Fail(Code::kTokenFailed, "the token's answer is wrong: " + std::string(what));
}

Result<Bytes> Seal(pkcs11::Session& session, const Specimen& specimen, ObjectHandle key) {
  Bytes sealed(Message().size() + kTagOctets);
  const auto size = InfoOf(specimen.spec.type).cipher() == Cipher::kAesGcm
                        ? session.EncryptGcm(key, {kIv, {}}, Message(), sealed)
                        : session.EncryptChaCha20Poly1305(key, {kIv, {}}, Message(), sealed);
  if (!size) return Fail(size.error());
  if (*size != sealed.size()) return Wrong("a ciphertext of another length");
  return sealed;
}

Result<std::size_t> OpenSealed(pkcs11::Session& session, const Specimen& specimen, ObjectHandle key,
                               ByteView sealed, MutableBytes opened) {
  return InfoOf(specimen.spec.type).cipher() == Cipher::kAesGcm
             ? session.DecryptGcm(key, {kIv, {}}, sealed, opened)
             : session.DecryptChaCha20Poly1305(key, {kIv, {}}, sealed, opened);
}

Trial Encrypt(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  COFFER_ASSIGN(pkcs11::Session* const session, bench.User());
  COFFER_TRY(Seal(*session, specimen, key));
  return "";
}

Trial Decrypt(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  COFFER_ASSIGN(pkcs11::Session * session, bench.User());
  COFFER_ASSIGN(const Bytes sealed, Seal(*session, specimen, key));
  Bytes opened(sealed.size());
  COFFER_ASSIGN(const std::size_t size, OpenSealed(*session, specimen, key, sealed, opened));
  opened.resize(std::min(size, opened.size()));
  if (opened != Message()) return Wrong("it does not decrypt what it encrypted");
  return "";
}

// The check is made once, so that the measured speed is that of good decryptions.
Trial RefuseChangedTag(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  COFFER_ASSIGN(pkcs11::Session * session, bench.User());
  COFFER_ASSIGN(Bytes sealed, Seal(*session, specimen, key));
  sealed.back() ^= 1;
  Bytes opened(sealed.size());
  if (OpenSealed(*session, specimen, key, sealed, opened)) return Wrong("it takes a changed tag");
  return "";
}

Trial Derive(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  COFFER_ASSIGN(const ObjectHandle derived, DeriveKey(bench.Objects(), bench.Maker(), specimen.spec,
                                                      key, DerivedUse::kCipher, kSecret));
  const PassingObject gone(bench.Maker(), derived);
  COFFER_ASSIGN(pkcs11::Session* const session, bench.User());
  COFFER_TRY(Seal(*session, specimen, derived));
  return std::string(KdfName(specimen.spec.kdf));
}

Trial RsaEncrypt(DoctorBench&, const Specimen& specimen, ObjectHandle) {
  COFFER_TRY(specimen.public_key->EncryptOaep(HashAlgorithm::kSha256, kSecret));
  return "";
}

Trial RsaDecrypt(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  COFFER_ASSIGN(const Bytes sealed,
                specimen.public_key->EncryptOaep(HashAlgorithm::kSha256, kSecret));
  COFFER_ASSIGN(pkcs11::Session * session, bench.User());
  if (auto block = session->Decrypt(MechanismType::kRsaX509, key, sealed)) {
    COFFER_ASSIGN(const SecretBytes opened,
                  crypto::OaepDecode(HashAlgorithm::kSha256, SecretBytes::CopyOf(*block)));
    if (!std::ranges::equal(opened.Reveal(), kSecret))
      return Wrong("it decrypts to something else");
    return "raw RSA in the token, OAEP's padding outside";
  }
  COFFER_ASSIGN(session, bench.User());
  const Bytes parameters = pkcs11::RsaOaepParameters(MechanismType::kSha256);
  COFFER_ASSIGN(const Bytes opened,
                session->Decrypt({MechanismType::kRsaPkcsOaep, parameters}, key, sealed));
  if (!std::ranges::equal(opened, kSecret)) return Wrong("it decrypts to something else");
  return "OAEP with SHA-256 in the token; this release wants raw RSA";
}

Result<Bytes> SignWith(DoctorBench& bench, ObjectHandle key, const SignMechanism& how,
                       ByteView input) {
  Bytes parameters;
  const auto mechanism = MechanismFor(how, parameters);
  if (!mechanism) return Fail(Code::kInvalid, "there is no mechanism for it");
  COFFER_ASSIGN(pkcs11::Session* const session, bench.User());
  Bytes out(kMaxSignatureOctets);
  COFFER_ASSIGN(const std::size_t size, session->Sign(*mechanism, key, input, out));
  out.resize(std::min(size, out.size()));
  return out;
}

Result<Bytes> SignPkcs1(DoctorBench& bench, ObjectHandle key) {
  return SignWith(bench, key, {SignMechanism::Kind::kRsaPkcs1},
                  crypto::Pkcs1DigestInfo(HashAlgorithm::kSha256, Digest()));
}

Trial RsaSignPkcs1(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  COFFER_ASSIGN(const Bytes signature, SignPkcs1(bench, key));
  if (!specimen.public_key->VerifyPkcs1(HashAlgorithm::kSha256, Digest(), signature)) {
    return Wrong("its signature does not verify");
  }
  return "";
}

Trial RsaSignPss(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  constexpr int kSalt = 32;
  const SignMechanism how{SignMechanism::Kind::kRsaPss, HashAlgorithm::kSha256, kSalt};
  COFFER_ASSIGN(const Bytes signature, SignWith(bench, key, how, Digest()));
  if (!specimen.public_key->VerifyPss(HashAlgorithm::kSha256, kSalt, Digest(), signature)) {
    return Wrong("its signature does not verify");
  }
  return "";
}

Trial EcdsaSign(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  COFFER_ASSIGN(const Bytes signature,
                SignWith(bench, key, {SignMechanism::Kind::kEcdsa}, Digest()));
  if (!specimen.public_key->VerifyEcdsa(Digest(), crypto::EcdsaToDer(signature))) {
    return Wrong("its signature does not verify");
  }
  return "";
}

Trial EddsaSign(DoctorBench& bench, const Specimen& specimen, ObjectHandle key) {
  COFFER_ASSIGN(const Bytes signature,
                SignWith(bench, key, {SignMechanism::Kind::kEddsa}, Message()));
  if (!specimen.public_key->VerifyEd25519(Message(), signature)) {
    return Wrong("its signature does not verify");
  }
  return "";
}

// A wrong signature of the right form takes as long to verify as a good one.
Trial Verify(DoctorBench&, const Specimen& specimen, ObjectHandle) {
  static const Bytes signature(64, 1);
  switch (specimen.public_key->kind()) {
    case crypto::PublicKey::Kind::kRsa:
      specimen.public_key->VerifyPkcs1(
          HashAlgorithm::kSha256, Digest(),
          Bytes(static_cast<std::size_t>(specimen.public_key->Bits() / 8), 1));
      break;
    case crypto::PublicKey::Kind::kEcdsa:
      specimen.public_key->VerifyEcdsa(Digest(), crypto::EcdsaToDer(signature));
      break;
    case crypto::PublicKey::Kind::kEd25519:
      specimen.public_key->VerifyEd25519(Message(), signature);
      break;
  }
  return "";
}

Trial Authenticate(DoctorBench& bench, ObjectHandle key, SignMechanism::Kind kind,
                   std::size_t octets) {
  COFFER_ASSIGN(const Bytes mac, SignWith(bench, key, {kind}, Message()));
  if (mac.size() != octets) return Wrong("a MAC of another length");
  return "";
}

Trial Hmac(DoctorBench& bench, const Specimen&, ObjectHandle key) {
  return Authenticate(bench, key, SignMechanism::Kind::kHmac, 32);
}

Trial Cmac(DoctorBench& bench, const Specimen&, ObjectHandle key) {
  return Authenticate(bench, key, SignMechanism::Kind::kCmac, 16);
}

}  // namespace

std::vector<Operation> OperationsOf(const KeyTypeInfo& info) {
  switch (info.family) {
    case Family::kAesGcm:
    case Family::kChaCha20:
      return {{"encrypt", false, Use::kCipher, Encrypt},
              {"decrypt", false, Use::kCipher, Decrypt},
              {"refuse a changed tag", false, Use::kCipher, RefuseChangedTag},
              {"derive", false, Use::kDerive, Derive}};
    case Family::kRsa:
      return {{"encrypt", true, Use::kCipher, RsaEncrypt},
              {"decrypt", false, Use::kCipher, RsaDecrypt},
              {"sign pkcs1v15", false, Use::kSign, RsaSignPkcs1},
              {"sign pss", false, Use::kSign, RsaSignPss},
              {"verify", true, Use::kSign, Verify}};
    case Family::kEcdsa:
      return {{"sign", false, Use::kSign, EcdsaSign}, {"verify", true, Use::kSign, Verify}};
    case Family::kEd25519:
      return {{"sign", false, Use::kSign, EddsaSign}, {"verify", true, Use::kSign, Verify}};
    case Family::kHmac:
      return {{"hmac", false, Use::kHmac, Hmac}};
    case Family::kCmac:
      return {{"cmac", false, Use::kCmac, Cmac}};
    default:
      return {};
  }
}

Status TryEpoch(DoctorBench& bench) {
  using pkcs11::AttributeType;
  COFFER_ASSIGN(
      const ObjectHandle object,
      bench.Objects().Create(bench.Maker(),
                             EpochRecipe({}, MasterLifetime::kSession).WithLabel(bench.Label())));
  const PassingObject gone(bench.Maker(), object);
  const std::string next = std::string(bench.Label()) + "-next";
  pkcs11::Attributes label;
  label.Add(AttributeType::kLabel, next);
  COFFER_TRY(bench.Maker().SetAttributes(object, label));
  COFFER_ASSIGN(const Bytes read, bench.Maker().GetBytes(object, AttributeType::kLabel));
  if (AsText(read) != next) return Wrong("it does not keep a changed label");
  return {};
}

}  // namespace coffer::keyring
