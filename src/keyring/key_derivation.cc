#include "keyring/key_derivation.h"

#include <algorithm>

#include "coffer/crypto/digest.h"
#include "keyring/key_mechanisms.h"
#include "keyring/passing_object.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::Mechanism;
using pkcs11::MechanismType;

constexpr std::size_t kHalfOctets = 15;
constexpr unsigned long kStepOctets = 32;

Bytes Step(std::uint8_t first, ByteView half) {
  Bytes data;
  for (const std::uint8_t tag : {first, static_cast<std::uint8_t>(first + 1)}) {
    data.push_back(tag);
    data.insert(data.end(), half.begin(), half.end());
  }
  return data;
}

// Every flag is set, because tokens take omitted ones for true.
Attributes DerivedTemplate(pkcs11::KeyType type, unsigned long octets,
                           std::initializer_list<AttributeType> on, MechanismType mechanism) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, type)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false);
  for (const AttributeType flag :
       {AttributeType::kEncrypt, AttributeType::kDecrypt, AttributeType::kSign,
        AttributeType::kVerify, AttributeType::kDerive, AttributeType::kWrap,
        AttributeType::kUnwrap}) {
    attributes.Add(flag, std::ranges::find(on, flag) != on.end());
  }
  attributes.Add(AttributeType::kValueLen, octets)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {mechanism})
      .Add(AttributeType::kCopyable, false)
      .Add(AttributeType::kModifiable, false);
  return attributes;
}

// The attributes of a derived key: they depend on its use, not on the KDF.
Attributes DerivedTemplate(const KeySpec& spec, DerivedUse use) {
  if (use == DerivedUse::kNonce) {
    return DerivedTemplate(pkcs11::KeyType::kGenericSecret, kStepOctets, {AttributeType::kSign},
                           MechanismType::kSha256Hmac);
  }
  const KeyTypeInfo& info = InfoOf(spec.type);
  return DerivedTemplate(KeyTypeOf(info.cipher()), static_cast<unsigned long>(info.bits / 8),
                         {AttributeType::kEncrypt, AttributeType::kDecrypt},
                         MechanismOf(info.cipher()));
}

}  // namespace

AesEcb1Blocks BlocksOf(DerivedUse use, ByteView context) {
  const ByteView label = AsBytes("coffer-kdf-aesecb-1");
  Bytes input(label.begin(), label.end());
  input.push_back(0);
  input.push_back(static_cast<std::uint8_t>(use));
  for (int shift = 56; shift >= 0; shift -= 8) {
    input.push_back(static_cast<std::uint8_t>(std::uint64_t{context.size()} >> shift));
  }
  input.insert(input.end(), context.begin(), context.end());
  const Bytes h = crypto::Hash(crypto::HashAlgorithm::kSha512, input);
  return {Step(0, ByteView(h).first(kHalfOctets)),
          Step(2, ByteView(h).subspan(kHalfOctets, kHalfOctets))};
}

Result<pkcs11::ObjectHandle> DeriveAesEcb1(pkcs11::Session& session, const KeySpec& spec,
                                           pkcs11::ObjectHandle base, DerivedUse use,
                                           ByteView context) {
  constexpr MechanismType kStep = MechanismType::kAesEcbEncryptData;
  const AesEcb1Blocks blocks = BlocksOf(use, context);
  COFFER_ASSIGN(const pkcs11::ObjectHandle between,
                session.DeriveKey(Mechanism(kStep, blocks.first), base,
                                  DerivedTemplate(pkcs11::KeyType::kAes, kStepOctets,
                                                  {AttributeType::kDerive}, kStep)));
  const PassingObject first(session, between);
  return session.DeriveKey(Mechanism(kStep, blocks.second), first.get(),
                           DerivedTemplate(spec, use));
}

Result<pkcs11::ObjectHandle> DeriveHkdfSha256(pkcs11::Session& session, const KeySpec& spec,
                                              pkcs11::ObjectHandle base, DerivedUse use,
                                              ByteView context) {
  pkcs11::HkdfParameters parameters;
  if (use == DerivedUse::kNonce) parameters.salt = AsBytes("coffer-convergent-nonce");
  parameters.info = context;
  return session.DeriveHkdf(base, parameters, DerivedTemplate(spec, use));
}

Result<pkcs11::ObjectHandle> DeriveKey(pkcs11::Session& session, const KeySpec& spec,
                                       pkcs11::ObjectHandle base, DerivedUse use,
                                       ByteView context) {
  if (spec.kdf == Kdf::kHkdfSha256) return DeriveHkdfSha256(session, spec, base, use, context);
  return DeriveAesEcb1(session, spec, base, use, context);
}

}  // namespace coffer::keyring
