#include "keyring/audit_key.h"

#include <vector>

#include "keyring/key_recipes.h"
#include "keyring/object_maker.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;

constexpr std::size_t kPointOctets = 65;
constexpr std::size_t kSignatureOctets = 64;

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
  if (point.size() != kPointOctets || point[0] != 0x04) {
    return Fail(Code::kTokenRefused, "token object coffer-audit has a wrong CKA_EC_POINT");
  }
  return point;
}

}  // namespace

Result<AuditKey> FindAuditKey(pkcs11::Session& session) {
  AuditKey key;
  COFFER_ASSIGN(key.private_key, FindOne(session, pkcs11::ObjectClass::kPrivateKey));
  COFFER_ASSIGN(const pkcs11::ObjectHandle public_key,
                FindOne(session, pkcs11::ObjectClass::kPublicKey));
  const PairRecipe recipe = AuditRecipe();
  COFFER_TRY(VerifyObject(session, key.private_key, recipe.private_half));
  COFFER_TRY(VerifyObject(session, public_key, recipe.public_half));
  // The private half is made without its curve, which is the public half's to name.
  Attributes curve;
  curve.Add(AttributeType::kEcParams, CurveOf(KeyType::kEcdsaP256));
  COFFER_TRY(VerifyAttributes(session, key.private_key, curve, kAuditLabel));
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
  const PairRecipe recipe = AuditRecipe();
  COFFER_TRY(ObjectMaker().GeneratePair(session, pkcs11::MechanismType::kEcKeyPairGen,
                                        recipe.public_half, recipe.private_half));
  return {};
}

Result<Bytes> SignDigest(pkcs11::Session& session, const AuditKey& key, ByteView digest) {
  Bytes signature(kSignatureOctets);
  COFFER_ASSIGN(const std::size_t written,
                session.Sign(pkcs11::MechanismType::kEcdsa, key.private_key, digest, signature));
  if (written != signature.size()) {
    return Fail(Code::kTokenFailed, "token returned a signature of the wrong length");
  }
  return signature;
}

}  // namespace coffer::keyring
