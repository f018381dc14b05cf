#include "keyring/audit_key.h"

#include <array>
#include <string_view>
#include <vector>

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;

constexpr std::size_t kPointOctets = 65;
constexpr std::size_t kAuditSignatureOctets = 64;
// RFC 5480: the name of P-256, as CKA_EC_PARAMS holds it.
constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2a, 0x86, 0x48,
                                             0xce, 0x3d, 0x03, 0x01, 0x07};

struct Flag {
  AttributeType type;
  std::string_view name;
  bool expected;
};
constexpr std::array kPrivateFlags{
    Flag{AttributeType::kToken, "CKA_TOKEN", true},
    Flag{AttributeType::kPrivate, "CKA_PRIVATE", true},
    Flag{AttributeType::kSensitive, "CKA_SENSITIVE", true},
    Flag{AttributeType::kExtractable, "CKA_EXTRACTABLE", false},
    Flag{AttributeType::kSign, "CKA_SIGN", true},
    Flag{AttributeType::kDecrypt, "CKA_DECRYPT", false},
    Flag{AttributeType::kUnwrap, "CKA_UNWRAP", false},
    Flag{AttributeType::kDerive, "CKA_DERIVE", false},
    Flag{AttributeType::kModifiable, "CKA_MODIFIABLE", false},
    Flag{AttributeType::kLocal, "CKA_LOCAL", true},
    Flag{AttributeType::kAlwaysSensitive, "CKA_ALWAYS_SENSITIVE", true},
    Flag{AttributeType::kNeverExtractable, "CKA_NEVER_EXTRACTABLE", true},
};

auto Deviates(std::string_view attribute) {
  return Fail(Code::kTokenRefused, "token object coffer-audit has a wrong " +
                                       std::string(attribute) +
                                       ": it was not made by coffer or the token does not keep "
                                       "it; coffer will not use it");
}

Attributes Named(pkcs11::ObjectClass object_class) {
  Attributes wanted;
  wanted.Add(AttributeType::kClass, object_class).Add(AttributeType::kLabel, kAuditLabel);
  return wanted;
}

Result<pkcs11::ObjectHandle> FindOne(pkcs11::Session& session, pkcs11::ObjectClass object_class) {
  COFFER_ASSIGN(const std::vector<pkcs11::ObjectHandle> found, session.Find(Named(object_class)));
  if (found.size() > 1) {
    return Fail(Code::kTokenRefused, "token holds more than one object labelled coffer-audit");
  }
  if (found.empty()) return Fail(Code::kNotFound, "token has no key coffer-audit");
  return found.front();
}

// CKA_EC_POINT is the point in a DER OCTET STRING; some tokens give it bare.
Result<Bytes> PointOf(pkcs11::Session& session, pkcs11::ObjectHandle key) {
  COFFER_ASSIGN(Bytes point, session.GetBytes(key, AttributeType::kEcPoint));
  if (point.size() == kPointOctets + 2 && point[0] == 0x04 && point[1] == kPointOctets) {
    point.erase(point.begin(), point.begin() + 2);
  }
  if (point.size() != kPointOctets || point[0] != 0x04) return Deviates("CKA_EC_POINT");
  return point;
}

}  // namespace

Result<AuditKey> FindAuditKey(pkcs11::Session& session) {
  AuditKey key;
  COFFER_ASSIGN(key.private_key, FindOne(session, pkcs11::ObjectClass::kPrivateKey));
  COFFER_ASSIGN(const pkcs11::ObjectHandle public_key,
                FindOne(session, pkcs11::ObjectClass::kPublicKey));
  COFFER_ASSIGN(const Bytes curve, session.GetBytes(key.private_key, AttributeType::kEcParams));
  if (curve != Bytes(kP256.begin(), kP256.end())) return Deviates("CKA_EC_PARAMS");
  for (const Flag& flag : kPrivateFlags) {
    COFFER_ASSIGN(const bool value, session.GetBool(key.private_key, flag.type));
    if (value != flag.expected) return Deviates(flag.name);
  }
  COFFER_ASSIGN(const std::vector<pkcs11::MechanismType> allowed,
                session.GetMechanisms(key.private_key, AttributeType::kAllowedMechanisms));
  if (allowed != std::vector{pkcs11::MechanismType::kEcdsa}) {
    return Deviates("CKA_ALLOWED_MECHANISMS");
  }
  COFFER_ASSIGN(key.point, PointOf(session, public_key));
  return key;
}

Status MakeAuditKey(pkcs11::Session& session) {
  // An interrupted run may leave one half of a pair. Nothing was ever signed with it, so it is
  // destroyed.
  for (const auto object_class :
       {pkcs11::ObjectClass::kPublicKey, pkcs11::ObjectClass::kPrivateKey}) {
    COFFER_ASSIGN(const auto halves, session.Find(Named(object_class)));
    for (const pkcs11::ObjectHandle half : halves) COFFER_TRY(session.DestroyObject(half));
  }
  Attributes private_half;
  private_half.Add(AttributeType::kToken, true)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kSign, true);
  for (const AttributeType usage :
       {AttributeType::kDecrypt, AttributeType::kUnwrap, AttributeType::kDerive}) {
    private_half.Add(usage, false);
  }
  private_half.Add(AttributeType::kLabel, kAuditLabel)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {pkcs11::MechanismType::kEcdsa})
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  Attributes public_half;
  public_half.Add(AttributeType::kToken, true)
      .Add(AttributeType::kPrivate, false)
      .Add(AttributeType::kVerify, true);
  for (const AttributeType usage : {AttributeType::kEncrypt, AttributeType::kWrap}) {
    public_half.Add(usage, false);
  }
  public_half.Add(AttributeType::kEcParams, ByteView(kP256))
      .Add(AttributeType::kLabel, kAuditLabel)
      .Add(AttributeType::kModifiable, false);
  COFFER_TRY(
      session.GenerateKeyPair(pkcs11::MechanismType::kEcKeyPairGen, public_half, private_half));
  return {};
}

Result<Bytes> SignDigest(pkcs11::Session& session, const AuditKey& key, ByteView digest) {
  Bytes signature(kAuditSignatureOctets);
  COFFER_ASSIGN(const std::size_t written,
                session.Sign(pkcs11::MechanismType::kEcdsa, key.private_key, digest, signature));
  if (written != signature.size()) {
    return Fail(Code::kTokenFailed, "token returned a signature of the wrong length");
  }
  return signature;
}

}  // namespace coffer::keyring
