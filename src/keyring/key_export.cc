// Keys that leave for another server, wrapped in the token, and keys that an EC key of the token
// agrees on with somebody's public key.

#include <array>
#include <utility>

#include "keyring/import_wrapping.h"
#include "keyring/key_mechanisms.h"
#include "keyring/lost.h"
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

constexpr MechanismType kExportWrap = MechanismType::kAesKeyWrapPad;
constexpr unsigned long kTransportKeyBytes = 32;

// A flag of a template, as it is set.
struct SetFlag {
  AttributeType type;
  bool on;
};

Attributes& AddFlags(Attributes& attributes, std::span<const SetFlag> flags) {
  for (const SetFlag& flag : flags) attributes.Add(flag.type, flag.on);
  return attributes;
}

// The attributes of an exportable key on its way: it has no use and cannot be read.
Attributes LeavingTemplate(const MasterClass& master_class) {
  Attributes attributes;
  const Attributes pinned = UnwrapTemplate(master_class);
  for (std::size_t i = 0; i < pinned.size(); ++i) {
    if (pinned.TypeAt(i) != AttributeType::kModifiable) {
      attributes.Add(pinned.TypeAt(i), pinned.ValueAt(i));
    }
  }
  attributes.Add(AttributeType::kExtractable, true);
  const bool secret = master_class.object_class == ObjectClass::kSecretKey;
  static constexpr std::array kSecretFlags{AttributeType::kEncrypt, AttributeType::kDecrypt,
                                           AttributeType::kSign, AttributeType::kVerify,
                                           AttributeType::kDerive};
  static constexpr std::array kPrivateFlags{AttributeType::kDecrypt, AttributeType::kSign,
                                            AttributeType::kSignRecover, AttributeType::kUnwrap,
                                            AttributeType::kDerive};
  for (const AttributeType flag : secret ? kSecretFlags : kPrivateFlags) {
    if (!pinned.Contains(flag)) attributes.Add(flag, false);
  }
  attributes.Add(AttributeType::kModifiable, false);
  return attributes;
}

// The AES key that the exported key is wrapped under: it wraps and can be wrapped.
Attributes TransportTemplate() {
  static constexpr std::array kSet{
      SetFlag{AttributeType::kToken, false},    SetFlag{AttributeType::kPrivate, true},
      SetFlag{AttributeType::kSensitive, true}, SetFlag{AttributeType::kExtractable, true},
      SetFlag{AttributeType::kWrap, true},      SetFlag{AttributeType::kUnwrap, false},
      SetFlag{AttributeType::kEncrypt, false},  SetFlag{AttributeType::kDecrypt, false},
      SetFlag{AttributeType::kSign, false},     SetFlag{AttributeType::kVerify, false},
      SetFlag{AttributeType::kDerive, false}};
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes);
  AddFlags(attributes, kSet)
      .Add(AttributeType::kValueLen, kTransportKeyBytes)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {kExportWrap})
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  return attributes;
}

Attributes DestinationTemplate(const crypto::PublicKey& key) {
  static constexpr std::array kSet{
      SetFlag{AttributeType::kToken, false}, SetFlag{AttributeType::kPrivate, true},
      SetFlag{AttributeType::kWrap, true}, SetFlag{AttributeType::kEncrypt, false},
      SetFlag{AttributeType::kVerify, false}};
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kPublicKey)
      .Add(AttributeType::kKeyType, pkcs11::KeyType::kRsa);
  AddFlags(attributes, kSet)
      .Add(AttributeType::kModulus, ByteView(key.Modulus()))
      .Add(AttributeType::kPublicExponent, ByteView(key.Exponent()));
  return attributes;
}

// The secret that two EC keys agree on: it is the input of HKDF and nothing else.
Attributes AgreedTemplate(int bits) {
  static constexpr std::array kSet{
      SetFlag{AttributeType::kToken, false},    SetFlag{AttributeType::kPrivate, true},
      SetFlag{AttributeType::kSensitive, true}, SetFlag{AttributeType::kExtractable, false},
      SetFlag{AttributeType::kWrap, false},     SetFlag{AttributeType::kUnwrap, false},
      SetFlag{AttributeType::kEncrypt, false},  SetFlag{AttributeType::kDecrypt, false},
      SetFlag{AttributeType::kSign, false},     SetFlag{AttributeType::kVerify, false},
      SetFlag{AttributeType::kDerive, true}};
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, pkcs11::KeyType::kHkdf);
  AddFlags(attributes, kSet)
      .Add(AttributeType::kValueLen, static_cast<unsigned long>((bits + 7) / 8))
      .AddMechanisms(AttributeType::kAllowedMechanisms, {MechanismType::kHkdfDerive})
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  return attributes;
}

auto AgreementRefused(const Error& why) {
  if (why.code == Code::kTokenLost || why.code == Code::kUnavailable) return Fail(why);
  const std::string detail = why.cause.empty() ? why.message : why.cause;
  return Fail(Refusal::kKeyAgreementRefused, {.detail = detail}, detail);
}

}  // namespace

Result<Bytes> Pkcs11Token::Export(const KeySpec& spec, std::string_view master, ByteView blob,
                                  const crypto::PublicKey& destination,
                                  crypto::HashAlgorithm hash) {
  if (!session_) return Lost();
  if (!spec.exportable) return Fail(Refusal::kKeyNotExportable);
  COFFER_ASSIGN(const ObjectHandle unwrapping, Master(std::string(master)));
  COFFER_ASSIGN(const ObjectHandle leaving,
                session_->UnwrapKey(kExportWrap, unwrapping, blob,
                                    LeavingTemplate(ClassOf(spec, MainUse(spec)))));
  const PassingObject source(*session_, leaving);
  COFFER_ASSIGN(const ObjectHandle holder,
                session_->CreateObject(DestinationTemplate(destination)));
  const PassingObject receiver(*session_, holder);
  COFFER_ASSIGN(const ObjectHandle made,
                session_->GenerateKey(MechanismType::kAesKeyGen, TransportTemplate()));
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
  COFFER_ASSIGN(const Bytes target, session_->WrapKey(kExportWrap, transport.get(), source.get()));
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
      session_->DeriveEcdh(agreeing.get(), peer.Point(), AgreedTemplate(peer.Bits()));
  if (!shared) return AgreementRefused(shared.error());
  const PassingObject secret(*session_, *shared);
  auto version = TakeIn(derived, [&](const Attributes& attributes) {
    Attributes sized;
    sized.Add(AttributeType::kValueLen, SecretOctets(derived)).Append(attributes);
    return session_->DeriveHkdf(secret.get(), {}, sized);
  });
  if (!version) return AgreementRefused(version.error());
  return version;
}

}  // namespace coffer::keyring
