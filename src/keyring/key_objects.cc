// Keys as objects of the token: made, wrapped, unwrapped, derived, found, and their use.

#include <algorithm>
#include <array>
#include <utility>

#include "coffer/crypto/rsa_padding.h"
#include "coffer/keyring/token_admin.h"
#include "keyring/key_derivation.h"
#include "keyring/key_recipes.h"
#include "keyring/lost.h"
#include "keyring/passing_object.h"
#include "keyring/pkcs11_token.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectHandle;

constexpr std::array<std::uint8_t, 16> kProbe{0x63, 0x6f, 0x66, 0x66, 0x65, 0x72};

auto FailedCheck() {
  return Fail(Code::kTokenFailed, "new key version failed its cross-check in the token");
}

// True for the errors with which tokens answer if they lack a key type or a mechanism.
bool SaysNo(const Error& error) {
  return error.code == Code::kTokenRefused || error.code == Code::kTokenFailed;
}

Attributes TokenObjects(pkcs11::ObjectClass object_class) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, object_class).Add(AttributeType::kToken, true);
  return attributes;
}
constexpr std::array kResidentClasses{pkcs11::ObjectClass::kPrivateKey,
                                      pkcs11::ObjectClass::kSecretKey};

// The only secret keys that are resident.
constexpr KeySpec kResidentSecret{.type = KeyType::kAes256Gcm96, .resident = true};

// The mechanism that shows whether an unwrapped key of this use works.
std::optional<SignMechanism> CheckMechanism(Family family, Use use) {
  if (use == Use::kHmac) return SignMechanism{SignMechanism::Kind::kHmac};
  if (use == Use::kCmac) return SignMechanism{SignMechanism::Kind::kCmac};
  if (use != Use::kSign) return std::nullopt;
  switch (family) {
    case Family::kRsa:
      return SignMechanism{SignMechanism::Kind::kRsaPkcs1};
    case Family::kEcdsa:
      return SignMechanism{SignMechanism::Kind::kEcdsa};
    default:
      return SignMechanism{SignMechanism::Kind::kEddsa};
  }
}

// RFC 5649: whole 8-byte blocks and one block of integrity check.
std::size_t WrappedOctets(unsigned long octets) { return (octets + 7) / 8 * 8 + 8; }

}  // namespace

Result<Bytes> Pkcs11Token::WrapNew(const KeySpec& spec, Use use, const std::string& master) {
  const bool second = use == Use::kHmac && InfoOf(spec.type).family != Family::kHmac;
  const unsigned long octets =
      second ? static_cast<unsigned long>(kHmacOctets) : SecretOctets(spec);
  COFFER_ASSIGN(const MasterClass* const master_class, ClassOf(spec, use));
  COFFER_ASSIGN(const ObjectHandle wrapping, Master(master));
  const MechanismType generator =
      use == Use::kHmac ? MechanismType::kGenericSecretKeyGen : MakingOf(spec).generator;
  COFFER_ASSIGN(const ObjectHandle handle,
                maker_.Generate(*session_, generator, NewSecretRecipe(*master_class, octets)));
  const PassingObject extractable(*session_, handle);
  COFFER_ASSIGN(Bytes blob, session_->WrapKey(KeyWrap(), wrapping, extractable.get()));
  if (blob.size() != WrappedOctets(octets)) {
    return Fail(Code::kTokenFailed, "token returned a wrapped key of the wrong length");
  }
  return blob;
}

Status Pkcs11Token::GeneratePair(const KeySpec& spec, NewVersion& version) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  COFFER_ASSIGN(const ObjectHandle wrapping, Master(version.master));
  const PairRecipe recipe = NewPairRecipe(spec);
  COFFER_ASSIGN(const pkcs11::KeyPair pair,
                maker_.GeneratePair(*session_, MakingOf(spec).generator, recipe.public_half,
                                    recipe.private_half));
  const PassingObject public_object(*session_, pair.public_key);
  const PassingObject extractable(*session_, pair.private_key);
  COFFER_ASSIGN(const auto public_key, ReadPublicKey(*session_, pair.public_key, info));
  COFFER_ASSIGN(version.blob, session_->WrapKey(KeyWrap(), wrapping, extractable.get()));
  version.spki = public_key->Spki();
  COFFER_ASSIGN(const TokenHandle handle, Unwrap(spec, Use::kSign, version.master, version.blob));
  const PassingObject unwrapped(*session_, handle);
  return CheckPair(spec, unwrapped.get(), *public_key);
}

Result<NewVersion> Pkcs11Token::GenerateResident(const KeySpec& spec, const ResidentPlace& place) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  NewVersion version;
  version.custody = Custody::kResident;
  version.locator = place.locator;
  COFFER_ASSIGN(const PairRecipe recipe, ResidentRecipe(spec, place));
  COFFER_ASSIGN(const pkcs11::KeyPair pair,
                maker_.GeneratePair(*session_, MakingOf(spec).generator, recipe.public_half,
                                    recipe.private_half));
  const PassingObject public_object(*session_, pair.public_key);
  COFFER_TRY(Sync());
  COFFER_ASSIGN(const auto public_key, ReadPublicKey(*session_, pair.public_key, info));
  COFFER_TRY(CheckPair(spec, pair.private_key, *public_key));
  version.spki = public_key->Spki();
  residents_[place.locator] = {pair.private_key, true};
  COFFER_TRY(AddHmacKey(version));
  return version;
}

Result<NewVersion> Pkcs11Token::GenerateResidentSecret(const KeySpec& spec,
                                                       const ResidentPlace& place) {
  NewVersion version;
  version.custody = Custody::kResident;
  version.locator = place.locator;
  COFFER_ASSIGN(const Recipe recipe,
                ResidentSecretRecipe(spec, ResidentLabel(place.database), place.locator));
  COFFER_ASSIGN(const ObjectHandle key,
                maker_.Generate(*session_, MakingOf(spec).generator, recipe));
  COFFER_TRY(Sync());
  COFFER_TRY(CheckCipher(spec, key, key));
  residents_[place.locator] = {key, true};
  return version;
}

Status Pkcs11Token::AddHmacKey(NewVersion& version) {
  const KeySpec any;
  COFFER_ASSIGN(const MasterClass* const hmac, FindClass(KeyKind::kHmac));
  COFFER_ASSIGN(version.hmac_master, NewestMaster(*hmac));
  COFFER_ASSIGN(version.hmac_blob, WrapNew(any, Use::kHmac, version.hmac_master));
  return CheckTwice(any, Use::kHmac, version.hmac_master, version.hmac_blob);
}

Result<NewVersion> Pkcs11Token::Generate(const KeySpec& asked, const ResidentPlace& place) {
  if (asked.resident) return GenerateResidentSecret(asked, place);
  COFFER_ASSIGN(const Custody custody, CustodyOf(asked));
  if (custody == Custody::kResident) return GenerateResident(asked, place);
  COFFER_ASSIGN(const KeySpec spec, WithKdf(asked));
  const Use use = MainUse(spec);
  NewVersion version;
  version.kdf = spec.kdf;
  COFFER_ASSIGN(const MasterClass* const master_class, ClassOf(spec, use));
  COFFER_ASSIGN(version.master, MasterFor(*master_class));
  if (MakingOf(spec).pair) {
    COFFER_TRY(GeneratePair(spec, version));
  } else {
    COFFER_ASSIGN(version.blob, WrapNew(spec, use, version.master));
    COFFER_TRY(CheckTwice(spec, use, version.master, version.blob));
  }
  if (InfoOf(spec.type).family != Family::kHmac) COFFER_TRY(AddHmacKey(version));
  return version;
}

Status Pkcs11Token::CheckTwice(const KeySpec& spec, Use use, std::string_view master,
                               ByteView blob) {
  COFFER_ASSIGN(const TokenHandle first_handle, Open(spec, use, master, blob));
  const PassingObject first(*session_, first_handle);
  COFFER_ASSIGN(const TokenHandle second_handle, Open(spec, use, master, blob));
  const PassingObject second(*session_, second_handle);
  if (use == Use::kCipher) return CheckCipher(spec, first.get(), second.get());
  if (use == Use::kDerive) {
    COFFER_ASSIGN(const TokenHandle sealing,
                  Derive(spec, first.get(), DerivedUse::kCipher, kProbe));
    const PassingObject one(*session_, sealing);
    COFFER_ASSIGN(const TokenHandle opening,
                  Derive(spec, second.get(), DerivedUse::kCipher, kProbe));
    const PassingObject other(*session_, opening);
    return CheckCipher(spec, one.get(), other.get());
  }
  const auto how = CheckMechanism(InfoOf(spec.type).family, use);
  std::array<std::uint8_t, kMaxSignatureOctets> one{};
  std::array<std::uint8_t, kMaxSignatureOctets> other{};
  COFFER_ASSIGN(const std::size_t octets, Sign(first.get(), *how, kProbe, one));
  COFFER_TRY(Sign(second.get(), *how, kProbe, other));
  if (octets < 16 || one != other) return FailedCheck();
  return {};
}

Status Pkcs11Token::CheckCipher(const KeySpec& spec, TokenHandle sealing, TokenHandle opening) {
  const Cipher cipher = InfoOf(spec.type).cipher();
  const std::array<std::uint8_t, 12> nonce{};
  std::array<std::uint8_t, 32> sealed{};
  std::array<std::uint8_t, 32> opened{};
  COFFER_TRY(Encrypt(sealing, cipher, nonce, {}, kProbe, sealed));
  COFFER_TRY(Decrypt(opening, cipher, nonce, {}, sealed, opened));
  return std::ranges::equal(kProbe, ByteView(opened).first(kProbe.size())) ? Status{}
                                                                           : FailedCheck();
}

Status Pkcs11Token::CheckPair(const KeySpec& spec, TokenHandle key,
                              const crypto::PublicKey& public_key) {
  const Family family = InfoOf(spec.type).family;
  const Bytes digest = crypto::Hash(crypto::HashAlgorithm::kSha256, kProbe);
  const Bytes input = family == Family::kRsa
                          ? crypto::Pkcs1DigestInfo(crypto::HashAlgorithm::kSha256, digest)
                          : digest;
  std::array<std::uint8_t, kMaxSignatureOctets> out{};
  COFFER_ASSIGN(const std::size_t octets,
                Sign(key, *CheckMechanism(family, Use::kSign), input, out));
  const ByteView signature = ByteView(out).first(octets);
  bool good = false;
  switch (public_key.kind()) {
    case crypto::PublicKey::Kind::kRsa:
      good = public_key.VerifyPkcs1(crypto::HashAlgorithm::kSha256, digest, signature);
      break;
    case crypto::PublicKey::Kind::kEcdsa:
      good = public_key.VerifyEcdsa(digest, crypto::EcdsaToDer(signature));
      break;
    case crypto::PublicKey::Kind::kEd25519:
      good = public_key.VerifyEd25519(digest, signature);
      break;
  }
  return good && public_key.Bits() >= InfoOf(spec.type).bits - 3 ? Status{} : FailedCheck();
}

Result<TokenHandle> Pkcs11Token::Open(const KeySpec& spec, Use use, std::string_view master,
                                      ByteView blob) {
  const bool pair = use != Use::kHmac && MakingOf(spec).pair;
  if (!pair) {
    const bool second = use == Use::kHmac && InfoOf(spec.type).family != Family::kHmac;
    const unsigned long octets =
        second ? static_cast<unsigned long>(kHmacOctets) : SecretOctets(spec);
    if (blob.size() != WrappedOctets(octets)) {
      return Fail(Code::kCorrupt, "stored key version has the wrong length");
    }
  }
  if (!session_) return Lost();
  COFFER_ASSIGN(const ObjectHandle unwrapping, Master(std::string(master)));
  COFFER_ASSIGN(const Recipe recipe, UnwrappedRecipe(spec, use));
  return maker_.Unwrap(*session_, KeyWrap(), unwrapping, blob, recipe);
}

Result<TokenHandle> Pkcs11Token::Unwrap(const KeySpec& spec, Use use, std::string_view master,
                                        ByteView blob) {
  auto opened = Open(spec, use, master, blob);
  if (opened || use == Use::kHmac || !SaysNo(opened.error())) return opened;
  // Another token, or this one under other settings, may have made the key. The error should then
  // say that this token cannot hold keys of this type.
  if (const Status able = Able(spec);
      !able && able.error().refusal == Refusal::kKeyTypeUnsupported) {
    return Fail(able.error());
  }
  return opened;
}

Result<TokenHandle> Pkcs11Token::Derive(const KeySpec& spec, TokenHandle base, DerivedUse use,
                                        ByteView context) {
  if (!session_) return Lost();
  return DeriveKey(maker_, *session_, spec, base, use, context);
}

Status Pkcs11Token::FindResidents() {
  residents_.clear();
  for (const pkcs11::ObjectClass object_class : kResidentClasses) {
    COFFER_ASSIGN(const std::vector<ObjectHandle> objects,
                  session_->Find(TokenObjects(object_class)));
    for (const ObjectHandle object : objects) {
      const auto label = session_->GetBytes(object, AttributeType::kLabel);
      if (!label || !AsText(*label).starts_with(kResidentLabelPrefix)) continue;
      auto locator = session_->GetBytes(object, AttributeType::kId);
      if (locator) residents_.emplace(std::move(*locator), Resident{object});
    }
  }
  return {};
}

Status Pkcs11Token::CheckResident(ObjectHandle object, ByteView locator) {
  COFFER_ASSIGN(const Bytes label, session_->GetBytes(object, AttributeType::kLabel));
  if (!AsText(label).starts_with(kResidentLabelPrefix)) {
    return Fail(Code::kCorrupt, "key version is not in the token",
                "the object at its place is another application's");
  }
  COFFER_ASSIGN(const unsigned long object_class,
                session_->GetUlong(object, AttributeType::kClass));
  if (object_class != static_cast<unsigned long>(pkcs11::ObjectClass::kSecretKey)) return {};
  COFFER_ASSIGN(const Recipe recipe, ResidentSecretRecipe(kResidentSecret, AsText(label), locator));
  return VerifyObject(*session_, object, recipe);
}

Result<TokenHandle> Pkcs11Token::FindResident(ByteView locator) {
  const Bytes id(locator.begin(), locator.end());
  if (!session_) return Lost();
  auto known = residents_.find(id);
  if (known == residents_.end()) {
    // Another instance may have made the object since this one started, so it is looked up.
    std::vector<ObjectHandle> found;
    for (const pkcs11::ObjectClass object_class : kResidentClasses) {
      Attributes wanted = TokenObjects(object_class);
      wanted.Add(AttributeType::kId, locator);
      COFFER_ASSIGN(const std::vector<ObjectHandle> some, session_->Find(wanted));
      found.insert(found.end(), some.begin(), some.end());
    }
    if (found.size() != 1) {
      return Fail(Code::kCorrupt, "key version is not in the token",
                  "the token has " + std::to_string(found.size()) + " objects at its place");
    }
    known = residents_.emplace(id, Resident{found.front()}).first;
  }
  if (!known->second.checked) {
    if (Status checked = CheckResident(known->second.object, locator); !checked) {
      residents_.erase(known);
      return Fail(std::move(checked).error());
    }
    known->second.checked = true;
  }
  return known->second.object;
}

Result<std::vector<Bytes>> Pkcs11Token::Residents(const Id& database) {
  COFFER_TRY(FindResidents());
  const std::string label = ResidentLabel(database);
  std::vector<Bytes> locators;
  for (const auto& [locator, resident] : residents_) {
    COFFER_ASSIGN(const Bytes its_label,
                  session_->GetBytes(resident.object, AttributeType::kLabel));
    if (AsText(its_label) == label) locators.push_back(locator);
  }
  return locators;
}

Status Pkcs11Token::DestroyResident(ByteView locator) {
  const auto found = FindResident(locator);
  if (!found && found.error().code == Code::kCorrupt) return {};
  if (!found) return Fail(found.error());
  COFFER_TRY(session_->DestroyObject(*found));
  residents_.erase(Bytes(locator.begin(), locator.end()));
  return Sync();
}

Status Pkcs11Token::Blame(const Error& error, Error instead) {
  if (error.code != Code::kTokenFailed && error.code != Code::kAuthenticationFailed &&
      error.code != Code::kTokenRefused) {
    return Fail(error);
  }
  // Bad input and a broken session may give the same error. A MAC that must succeed tells them
  // apart.
  if (const auto canary = MetaMac(AsBytes("coffer canary")); !canary) {
    return Lost(canary.error());
  }
  return Fail(std::move(instead));
}

Result<std::size_t> Pkcs11Token::Sign(TokenHandle key, const SignMechanism& how, ByteView data,
                                      MutableBytes out) {
  if (!session_) return Lost();
  Bytes parameters;
  const auto mechanism = MechanismFor(how, parameters);
  if (!mechanism) {
    return Fail(Refusal::kHashNotInToken);
  }
  return session_->Sign(*mechanism, key, data, out);
}

Status Pkcs11Token::RsaDecrypt(TokenHandle key, ByteView in, MutableBytes out) {
  if (!session_) return Lost();
  auto block = session_->Decrypt(MechanismType::kRsaX509, key, in);
  if (!block)
    return Blame(block.error(), Error(Refusal::kRsaDecryptionFailed, {}, block.error().cause));
  if (block->size() != in.size() || out.size() < in.size()) {
    SecureWipe(block->data(), block->size());
    return Fail(Code::kTokenFailed, "token returned a block of the wrong length");
  }
  std::ranges::copy(*block, out.begin());
  SecureWipe(block->data(), block->size());
  return {};
}

}  // namespace coffer::keyring
