// Keys that leave for another server, wrapped in the token, and keys that an EC key of the token
// agrees on with somebody's public key.

#include <string>
#include <utility>
#include <vector>

#include "keyring/import_wrapping.h"
#include "keyring/key_recipes.h"
#include "keyring/lost.h"
#include "keyring/passing_object.h"
#include "keyring/pkcs11_token.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::Mechanism;
using pkcs11::MechanismType;
using pkcs11::ObjectHandle;

// Derives the key of the recipe with a length of `bytes`. The recipe itself has no length, since an
// unwrapped key gets that of its blob.
Result<ObjectHandle> DeriveSized(pkcs11::Session& session, ObjectHandle base, const Recipe& recipe,
                                 unsigned long bytes) {
  Attributes attributes;
  attributes.Add(AttributeType::kValueLen, bytes).Append(recipe.Template());
  COFFER_ASSIGN(const ObjectHandle made, session.DeriveHkdf(base, {}, attributes));
  const Status as_asked = VerifyObject(session, made, recipe);
  if (as_asked) return made;
  static_cast<void>(session.DestroyObject(made));
  return Fail(as_asked.error());
}

auto AgreementRefused(const Error& why) {
  if (why.code == Code::kTokenLost || why.code == Code::kUnavailable) return Fail(why);
  return Fail(Refusal::kKeyAgreementRefused, {.detail = why.message}, why.cause);
}

}  // namespace

Result<Bytes> Pkcs11Token::Export(const KeySpec& spec, std::string_view master, ByteView blob,
                                  const crypto::PublicKey& destination,
                                  crypto::HashAlgorithm hash) {
  if (!session_) return Lost();
  if (!spec.exportable) return Fail(Refusal::kKeyNotExportable);
  COFFER_ASSIGN(const ObjectHandle unwrapping, Master(std::string(master)));
  COFFER_ASSIGN(const MasterClass* const master_class, ClassOf(spec, MainUse(spec)));
  COFFER_ASSIGN(const ObjectHandle leaving, maker_.Unwrap(*session_, KeyWrap(), unwrapping, blob,
                                                          LeavingRecipe(*master_class)));
  const PassingObject source(*session_, leaving);
  COFFER_ASSIGN(const ObjectHandle holder,
                maker_.Create(*session_, DestinationRecipe(destination)));
  const PassingObject receiver(*session_, holder);
  COFFER_ASSIGN(const ObjectHandle made,
                maker_.Generate(*session_, MechanismType::kAesKeyGen, TransportRecipe(KeyWrap())));
  const PassingObject transport(*session_, made);
  const auto wrapped_by = [&](crypto::HashAlgorithm by) {
    const Bytes parameters = OaepParameters(by);
    return session_->WrapKey(Mechanism(MechanismType::kRsaPkcsOaep, parameters), receiver.get(),
                             transport.get());
  };
  auto ephemeral = wrapped_by(hash);
  if (!ephemeral) {
    std::vector<crypto::HashAlgorithm> able;
    for (const crypto::HashAlgorithm other : OaepHashes()) {
      if (wrapped_by(other)) able.push_back(other);
    }
    return able.empty() ? Fail(ephemeral.error()) : Fail(OaepHashUnsupported(hash, able));
  }
  COFFER_ASSIGN(const Bytes target, session_->WrapKey(KeyWrap(), transport.get(), source.get()));
  Bytes exported = *std::move(ephemeral);
  exported.insert(exported.end(), target.begin(), target.end());
  return exported;
}

Result<NewVersion> Pkcs11Token::Agree(const KeySpec& base, std::string_view master, ByteView blob,
                                      const crypto::PublicKey& peer, const KeySpec& derived) {
  if (!session_) return Lost();
  COFFER_ASSIGN(const KeySpec kind, WithKdf({.type = derived.type, .derived = true}));
  if (kind.kdf != Kdf::kHkdfSha256) {
    return Fail(Refusal::kKeyAgreementRefused,
                {.detail = "HKDF keys (PKCS#11 3.0 CKM_HKDF_DERIVE)"});
  }
  COFFER_ASSIGN(const TokenHandle base_handle, Unwrap(base, Use::kAgree, master, blob));
  const PassingObject agreeing(*session_, base_handle);
  const auto shared =
      maker_.DeriveEcdh(*session_, agreeing.get(), peer.Point(),
                        AgreedRecipe(static_cast<unsigned long>((peer.Bits() + 7) / 8)));
  if (!shared) return AgreementRefused(shared.error());
  const PassingObject secret(*session_, *shared);
  auto version = TakeIn(derived, [&](const Recipe& recipe) {
    return DeriveSized(*session_, secret.get(), recipe, SecretOctets(derived));
  });
  if (!version) return AgreementRefused(version.error());
  return version;
}

}  // namespace coffer::keyring
