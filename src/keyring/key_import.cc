// Keys that come from elsewhere (docs/key-custody.md, "Import"): opened, wrapped anew and checked
// inside the token.

#include <algorithm>
#include <array>
#include <utility>

#include "coffer/pkcs11/parameters.h"
#include "keyring/key_recipes.h"
#include "keyring/passing_object.h"
#include "keyring/pkcs11_token.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::Mechanism;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;
using pkcs11::ObjectHandle;

constexpr unsigned long kWrappingBits = 4096;

// One text for every failure: an attacker who could tell them apart could open blobs by asking
// often enough.
auto Failed(const Error& why) {
  return Fail(Refusal::kImportNotUnwrapped, {}, why.cause.empty() ? why.message : why.cause);
}

Attributes WrappingKeys() {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kPrivateKey)
      .Add(AttributeType::kLabel, kImportWrappingLabel);
  return attributes;
}

}  // namespace

Result<ObjectHandle> Pkcs11Token::FindImportWrappingKey() {
  COFFER_ASSIGN(const std::vector<ObjectHandle> found, session_->Find(WrappingKeys()));
  if (found.empty()) return pkcs11::kNoObject;
  if (found.size() > 1) {
    return Fail(Code::kTokenRefused, "token holds more than one import wrapping key");
  }
  // Somebody with the PIN may have put another one there, which opens keys that can be read.
  COFFER_TRY(
      VerifyObject(*session_, found.front(), ImportWrappingRecipe(kWrappingBits).private_half));
  return found.front();
}

Result<Bytes> Pkcs11Token::ImportWrappingKey() {
  COFFER_ASSIGN(ObjectHandle key, FindImportWrappingKey());
  if (key == pkcs11::kNoObject) {
    const PairRecipe recipe = ImportWrappingRecipe(kWrappingBits);
    COFFER_ASSIGN(const pkcs11::KeyPair pair,
                  maker_.GeneratePair(*session_, MechanismType::kRsaPkcsKeyPairGen,
                                      recipe.public_half, recipe.private_half));
    const PassingObject public_object(*session_, pair.public_key);
    COFFER_TRY(Sync());
    key = pair.private_key;
  }
  COFFER_ASSIGN(const auto public_key, ReadPublicKey(*session_, key, InfoOf(KeyType::kRsa4096)));
  return public_key->Spki();
}

Result<NewVersion> Pkcs11Token::GenerateHmacKey() {
  NewVersion version;
  version.custody = Custody::kPublicOnly;
  COFFER_TRY(AddHmacKey(version));
  return version;
}

Result<Bytes> Pkcs11Token::ImportBlob(const KeySpec& spec, const std::string& master,
                                      ByteView ephemeral, ByteView target) {
  const Use use = MainUse(spec);
  COFFER_ASSIGN(const ObjectHandle wrapping, FindImportWrappingKey());
  const Bytes oaep = pkcs11::RsaOaepParameters(MechanismType::kSha1);
  COFFER_ASSIGN(const ObjectHandle opened,
                maker_.Unwrap(*session_, Mechanism(MechanismType::kRsaPkcsOaep, oaep), wrapping,
                              ephemeral, EphemeralRecipe(KeyWrap())));
  const PassingObject unwrapping(*session_, opened);
  COFFER_ASSIGN(const MasterClass* const master_class, ClassOf(spec, use));
  COFFER_ASSIGN(const ObjectHandle arrived, maker_.Unwrap(*session_, KeyWrap(), unwrapping.get(),
                                                          target, ArrivedRecipe(*master_class)));
  const PassingObject passing(*session_, arrived);
  COFFER_ASSIGN(const ObjectHandle own, Master(master));
  return session_->WrapKey(KeyWrap(), own, passing.get());
}

// RSA private keys show their modulus. EC private keys show nothing, but what the token agrees on
// with the curve's generator is the public point's x, and of the two points with it only one
// verifies.
Result<crypto::PublicKey::Shared> Pkcs11Token::PublicKeyOfImported(const KeySpec& spec,
                                                                   const NewVersion& version) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  COFFER_ASSIGN(const TokenHandle signing_handle,
                Unwrap(spec, Use::kSign, version.master, version.blob));
  const PassingObject signing(*session_, signing_handle);
  if (info.family == Family::kRsa) {
    COFFER_ASSIGN(auto key, ReadPublicKey(*session_, signing.get(), info));
    COFFER_TRY(CheckPair(spec, signing.get(), *key));
    return key;
  }
  COFFER_ASSIGN(const TokenHandle agreeing_handle,
                Unwrap(spec, Use::kAgree, version.master, version.blob));
  const PassingObject agreeing(*session_, agreeing_handle);
  COFFER_ASSIGN(
      const ObjectHandle agreed,
      maker_.DeriveEcdh(*session_, agreeing.get(), crypto::GeneratorPoint(EcdsaCurveOf(spec.type)),
                        PublicPointRecipe(static_cast<unsigned long>((info.bits + 7) / 8))));
  const PassingObject shared(*session_, agreed);
  COFFER_ASSIGN(const Bytes x, session_->GetBytes(shared.get(), AttributeType::kValue));
  for (const std::uint8_t sign : {std::uint8_t{2}, std::uint8_t{3}}) {
    auto candidate = crypto::PublicKey::FromCompressed(EcdsaCurveOf(spec.type), sign, x);
    if (candidate && CheckPair(spec, signing.get(), **candidate)) return candidate;
  }
  return Fail(Code::kInvalid, "imported key has no public key");
}

Result<NewVersion> Pkcs11Token::Import(const KeySpec& asked, ByteView ephemeral, ByteView target) {
  COFFER_ASSIGN(const KeySpec spec, WithKdf(asked));
  // Ciphertexts made by another server would never decrypt here, since this token derives keys in
  // another way.
  if (spec.derived && spec.kdf != Kdf::kHkdfSha256) {
    return Fail(Refusal::kImportDerivedHere, {.name = std::string(KdfName(spec.kdf))});
  }
  const KeyTypeInfo& info = InfoOf(spec.type);
  const Use use = MainUse(spec);
  NewVersion version;
  version.kdf = spec.kdf;
  COFFER_ASSIGN(const MasterClass* const imported,
                FindClass(MakingOf(spec).kind, Origin::kImported));
  COFFER_ASSIGN(version.master, MasterFor(*imported));
  const auto doubtful = [](const Error& error) {
    return error.code == Code::kTokenLost || error.code == Code::kUnavailable;
  };
  auto blob = ImportBlob(spec, version.master, ephemeral, target);
  if (!blob) return doubtful(blob.error()) ? Fail(blob.error()) : Failed(blob.error());
  version.blob = std::move(*blob);
  if (info.Asymmetric()) {
    const auto public_key = PublicKeyOfImported(spec, version);
    if (!public_key) {
      return doubtful(public_key.error()) ? Fail(public_key.error()) : Failed(public_key.error());
    }
    if ((*public_key)->Bits() != info.bits) return Failed({Code::kInvalid, "wrong key size", ""});
    version.spki = (*public_key)->Spki();
  } else if (const Status checked = CheckTwice(spec, use, version.master, version.blob); !checked) {
    return doubtful(checked.error()) ? Fail(checked.error()) : Failed(checked.error());
  }
  if (info.family != Family::kHmac) COFFER_TRY(AddHmacKey(version));
  return version;
}

}  // namespace coffer::keyring
