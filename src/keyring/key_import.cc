// Keys that come from elsewhere (docs/key-custody.md, "Import"): opened, used, wrapped anew and
// compared inside the token.

#include <algorithm>
#include <array>
#include <utility>

#include "keyring/import_wrapping.h"
#include "keyring/key_recipes.h"
#include "keyring/lost.h"
#include "keyring/passing_object.h"
#include "keyring/pkcs11_token.h"

namespace coffer::keyring {
namespace {

using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectHandle;

// The errors that say nothing about the key: the token cannot be reached, or has no room.
bool IsOfTheToken(const Error& error) {
  return error.code == Code::kTokenLost || error.code == Code::kUnavailable;
}

// One text for every failure: an attacker who could tell them apart could open blobs by asking
// often enough. That a key is not proven is known only of one that was opened, so whoever learns it
// has the key.
auto ImportFailed(const Error& why) {
  if (IsOfTheToken(why) || why.refusal == Refusal::kImportNotProven) return Fail(why);
  return Fail(Refusal::kImportNotUnwrapped, {}, why.cause.empty() ? why.message : why.cause);
}

}  // namespace

Result<ImportWrapping> Pkcs11Token::ImportWrappingKey() {
  if (!session_) return Lost();
  const ImportedThrough through = location_.import_oaep;
  COFFER_ASSIGN(ObjectHandle key, FindImportWrappingKey(*session_, through));
  if (key == pkcs11::kNoObject) {
    COFFER_ASSIGN(key, MakeImportWrappingKey(*session_, maker_, through));
    COFFER_TRY(Sync());
  }
  COFFER_ASSIGN(const auto public_key, ReadPublicKey(*session_, key, InfoOf(KeyType::kRsa4096)));
  if (import_hashes_.empty()) {
    COFFER_ASSIGN(import_hashes_,
                  FindOaepHashes(*session_, maker_, KeyWrap(), through, key, *public_key));
  }
  return ImportWrapping{public_key->Spki(), import_hashes_, through};
}

Status Pkcs11Token::DestroyImportWrappingKey() {
  if (!session_) return Lost();
  import_hashes_.clear();
  COFFER_TRY(DestroyImportWrappingKeys(*session_));
  return Sync();
}

Result<NewVersion> Pkcs11Token::GenerateHmacKey() {
  NewVersion version;
  version.custody = Custody::kPublicOnly;
  COFFER_TRY(AddHmacKey(version));
  return version;
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

Result<Bytes> Pkcs11Token::Prove(const KeySpec& spec, ObjectHandle key) {
  static constexpr std::array<std::uint8_t, 16> kQuestion{0x63, 0x6f, 0x66, 0x66, 0x65, 0x72};
  static constexpr std::array<std::uint8_t, 12> kNonce{};
  const Use use = MainUse(spec);
  if (use == Use::kHmac || use == Use::kCmac) {
    const SignMechanism how{use == Use::kHmac ? SignMechanism::Kind::kHmac
                                              : SignMechanism::Kind::kCmac};
    Bytes code(kMaxSignatureOctets);
    COFFER_ASSIGN(const std::size_t size, Sign(key, how, kQuestion, code));
    code.resize(size);
    return code;
  }
  Bytes sealed(kQuestion.size() + 16);
  const Cipher cipher = InfoOf(spec.type).cipher();
  if (use == Use::kDerive) {
    COFFER_ASSIGN(const TokenHandle handle, Derive(spec, key, DerivedUse::kCipher, kQuestion));
    const PassingObject derived(*session_, handle);
    COFFER_TRY(Encrypt(derived.get(), cipher, kNonce, {}, kQuestion, sealed));
  } else {
    COFFER_TRY(Encrypt(key, cipher, kNonce, {}, kQuestion, sealed));
  }
  return sealed;
}

// Key wrap with padding brings the key's own length along, but a token may store padding zeros with
// it and take them for the key. So a secret key processes a fixed input before it is wrapped, and
// its stored form must give the same output: a cipher refuses a key of another length or gives
// another output.
Result<NewVersion> Pkcs11Token::TakeIn(const KeySpec& spec, const MakeObject& make) {
  const Use use = MainUse(spec);
  const bool pair = InfoOf(spec.type).Asymmetric();
  const auto unproven = [&](const Error& why) {
    if (IsOfTheToken(why)) return Fail(why);
    return Fail(Refusal::kImportNotProven, {.name = std::string(KeyTypeName(spec.type))},
                why.cause.empty() ? why.message : why.cause);
  };
  NewVersion version;
  version.kdf = spec.kdf;
  COFFER_ASSIGN(const MasterClass* const imported,
                FindClass(MakingOf(spec).kind, Origin::kImported));
  COFFER_ASSIGN(version.master, MasterFor(*imported));
  Bytes answer;
  if (!pair) {
    COFFER_ASSIGN(const Recipe in_use, UnwrappedRecipe(spec, use));
    COFFER_ASSIGN(const ObjectHandle used, make(in_use));
    const PassingObject passing(*session_, used);
    const auto proof = Prove(spec, passing.get());
    if (!proof) return unproven(proof.error());
    answer = *proof;
  }
  COFFER_ASSIGN(const ObjectHandle own, Master(version.master));
  {
    COFFER_ASSIGN(const ObjectHandle arrived, make(ArrivedRecipe(*imported)));
    const PassingObject passing(*session_, arrived);
    COFFER_ASSIGN(version.blob, session_->WrapKey(KeyWrap(), own, passing.get()));
  }
  if (pair) {
    COFFER_ASSIGN(const auto public_key, PublicKeyOfImported(spec, version));
    if (public_key->Bits() != InfoOf(spec.type).bits) {
      return Fail(Code::kInvalid, "wrong key size");
    }
    version.spki = public_key->Spki();
  } else {
    COFFER_ASSIGN(const TokenHandle handle, Open(spec, use, version.master, version.blob));
    const PassingObject stored(*session_, handle);
    const auto proof = Prove(spec, stored.get());
    if (!proof) return unproven(proof.error());
    if (*proof != answer) return unproven({Code::kInvalid, "its stored form answers otherwise"});
  }
  if (InfoOf(spec.type).family != Family::kHmac) COFFER_TRY(AddHmacKey(version));
  return version;
}

Status Pkcs11Token::CheckImportHash(crypto::HashAlgorithm hash) {
  COFFER_ASSIGN(const ImportWrapping wrapping, ImportWrappingKey());
  if (std::ranges::find(wrapping.hashes, hash) != wrapping.hashes.end()) return {};
  return Fail(OaepHashUnsupported(hash, wrapping.hashes));
}

Result<NewVersion> Pkcs11Token::Import(const KeySpec& asked, const WrappedImport& import) {
  if (!session_) return Lost();
  COFFER_ASSIGN(const KeySpec spec, WithKdf(asked));
  // Ciphertexts made by another server would never decrypt here, since this token derives keys in
  // another way.
  if (spec.derived && spec.kdf != Kdf::kHkdfSha256) {
    return Fail(Refusal::kImportDerivedHere, {.name = std::string(KdfName(spec.kdf))});
  }
  COFFER_TRY(CheckImportHash(import.hash));
  const ImportedThrough through = location_.import_oaep;
  COFFER_ASSIGN(const ObjectHandle wrapping, FindImportWrappingKey(*session_, through));
  const auto opened =
      OpenEphemeral(*session_, maker_, KeyWrap(), through, wrapping, import.hash, import.ephemeral);
  if (!opened) return ImportFailed(opened.error());
  const PassingObject ephemeral(*session_, *opened);
  auto version = TakeIn(spec, [&](const Recipe& recipe) {
    return maker_.Unwrap(*session_, KeyWrap(), ephemeral.get(), import.target, recipe);
  });
  if (!version) return ImportFailed(version.error());
  version->imported_through = through;
  return version;
}

}  // namespace coffer::keyring
