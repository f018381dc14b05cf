#include "keyring/key_derivation.h"

#include <algorithm>

#include "coffer/crypto/digest.h"
#include "keyring/key_recipes.h"
#include "keyring/passing_object.h"

namespace coffer::keyring {
namespace {

using pkcs11::Mechanism;
using pkcs11::MechanismType;

constexpr std::size_t kHalfOctets = 15;

Bytes Step(std::uint8_t first, ByteView half) {
  Bytes data;
  for (const std::uint8_t tag : {first, static_cast<std::uint8_t>(first + 1)}) {
    data.push_back(tag);
    data.insert(data.end(), half.begin(), half.end());
  }
  return data;
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

Result<pkcs11::ObjectHandle> DeriveAesEcb1(ObjectMaker& maker, pkcs11::Session& session,
                                           const KeySpec& spec, pkcs11::ObjectHandle base,
                                           DerivedUse use, ByteView context) {
  constexpr MechanismType kStep = MechanismType::kAesEcbEncryptData;
  const AesEcb1Blocks blocks = BlocksOf(use, context);
  COFFER_ASSIGN(
      const pkcs11::ObjectHandle between,
      maker.Derive(session, Mechanism(kStep, blocks.first), base, DerivationStepRecipe()));
  const PassingObject first(session, between);
  return maker.Derive(session, Mechanism(kStep, blocks.second), first.get(),
                      DerivedRecipe(spec, use));
}

Result<pkcs11::ObjectHandle> DeriveHkdfSha256(ObjectMaker& maker, pkcs11::Session& session,
                                              const KeySpec& spec, pkcs11::ObjectHandle base,
                                              DerivedUse use, ByteView context) {
  pkcs11::HkdfParameters parameters;
  if (use == DerivedUse::kNonce) parameters.salt = AsBytes("coffer-convergent-nonce");
  parameters.info = context;
  return maker.DeriveHkdf(session, base, parameters, DerivedRecipe(spec, use));
}

Result<pkcs11::ObjectHandle> DeriveKey(ObjectMaker& maker, pkcs11::Session& session,
                                       const KeySpec& spec, pkcs11::ObjectHandle base,
                                       DerivedUse use, ByteView context) {
  if (spec.kdf == Kdf::kHkdfSha256)
    return DeriveHkdfSha256(maker, session, spec, base, use, context);
  return DeriveAesEcb1(maker, session, spec, base, use, context);
}

}  // namespace coffer::keyring
