#include "keyring/key_recipes.h"

#include <array>
#include <string>
#include <utility>

#include "coffer/keyring/token_admin.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;
using P11Type = pkcs11::KeyType;

constexpr unsigned long kStepBytes = 32;
constexpr std::array<std::uint8_t, 3> kPublicExponent{1, 0, 1};

// A session object's value leaves the token never (kSealed), wrapped under another key
// (kExtractable), or in the clear (kReadable).
enum class Secrecy : std::uint8_t { kSealed, kExtractable, kReadable };

// A secret key with the given uses.
SecretKeyFlags SecretFlags(Secrecy secrecy, const UsageFlags& does,
                           MasterLifetime lifetime = MasterLifetime::kSession) {
  return {.token = Flag(lifetime == MasterLifetime::kToken),
          .private_object = kOn,
          .sensitive = Flag(secrecy != Secrecy::kReadable),
          .extractable = Flag(secrecy != Secrecy::kSealed),
          .encrypt = does.encrypt,
          .decrypt = does.decrypt,
          .sign = does.sign,
          .verify = kOff,
          .wrap = kOff,
          .unwrap = does.unwrap,
          .derive = does.derive,
          .copyable = kOff,
          .modifiable = kOff};
}

// A private key with the given uses. It encrypts nothing: that is its public half's.
PrivateKeyFlags PrivateFlags(MasterLifetime lifetime, Secrecy secrecy, const UsageFlags& does) {
  return {.token = Flag(lifetime == MasterLifetime::kToken),
          .private_object = kOn,
          .sensitive = kOn,
          .extractable = Flag(secrecy != Secrecy::kSealed),
          .decrypt = does.decrypt,
          .sign = does.sign,
          .sign_recover = kOff,
          .unwrap = does.unwrap,
          .derive = does.derive,
          .copyable = kOff,
          .modifiable = kOff};
}

PublicKeyFlags PublicFlags(MasterLifetime lifetime, Flag verify) {
  return {.token = Flag(lifetime == MasterLifetime::kToken),
          .private_object = kOff,
          .encrypt = kOff,
          .verify = verify,
          .wrap = kOff,
          .derive = kOff,
          .copyable = kOff,
          .modifiable = kOff};
}

Attributes RsaParameters(unsigned long bits) {
  Attributes parameters;
  parameters.Add(AttributeType::kModulusBits, bits)
      .Add(AttributeType::kPublicExponent, ByteView(kPublicExponent));
  return parameters;
}

Attributes CurveParameters(KeyType type) {
  Attributes parameters;
  parameters.Add(AttributeType::kEcParams, CurveOf(type));
  return parameters;
}

Recipe PublicHalf(const KeySpec& spec, MasterLifetime lifetime = MasterLifetime::kSession) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  return {"public half of a new " + std::string(info.name) + " key",
          MakingOf(spec).key_type,
          PublicFlags(lifetime, Flag(info.signs)),
          {.parameters = info.family == Family::kRsa
                             ? RsaParameters(static_cast<unsigned long>(info.bits))
                             : CurveParameters(info.type)}};
}

// The attributes that every key unwrapped under the import wrapping key must have. What such a key
// unwraps in turn cannot be pinned: SoftHSM has no template inside a template.
Attributes EphemeralPins() {
  Attributes pins = UnwrapTemplateOf(P11Type::kAes, SecretKeyDemands{.token = kDemandOff,
                                                                     .private_object = kDemandOn,
                                                                     .sensitive = kDemandOn,
                                                                     .extractable = kDemandOff,
                                                                     .encrypt = kDemandOff,
                                                                     .decrypt = kDemandOff,
                                                                     .sign = kDemandOff,
                                                                     .verify = kDemandOff,
                                                                     .wrap = kDemandOff,
                                                                     .unwrap = kDemandOn,
                                                                     .derive = kDemandOff,
                                                                     .copyable = kDemandOff,
                                                                     .modifiable = kDemandOff});
  pins.AddMechanisms(AttributeType::kAllowedMechanisms, {MechanismType::kAesKeyWrapPad});
  return pins;
}

std::string Named(std::string_view what, const MasterClass& master_class) {
  return std::string(what).append(" ").append(master_class.name).append(" key");
}

}  // namespace

Recipe NewSecretRecipe(const MasterClass& master_class, unsigned long bytes) {
  return {Named("new", master_class),
          master_class.key_type,
          SecretFlags(Secrecy::kExtractable, kNoAbility),
          AllowedMechanisms{},
          {.value_bytes = bytes}};
}

PairRecipe NewPairRecipe(const KeySpec& spec) {
  return {PublicHalf(spec),
          {"new " + std::string(KeyTypeName(spec.type)) + " key", MakingOf(spec).key_type,
           PrivateFlags(MasterLifetime::kSession, Secrecy::kExtractable, kNoAbility),
           AllowedMechanisms{}}};
}

Recipe ArrivedRecipe(const MasterClass& master_class) {
  if (master_class.object_class == ObjectClass::kPrivateKey) {
    return {Named("imported", master_class), master_class.key_type,
            PrivateFlags(MasterLifetime::kSession, Secrecy::kExtractable, kNoAbility),
            AllowedMechanisms{}};
  }
  return {Named("imported", master_class), master_class.key_type,
          SecretFlags(Secrecy::kExtractable, kNoAbility), AllowedMechanisms{}};
}

Result<Recipe> UnwrappedRecipe(const KeySpec& spec, Use use) {
  COFFER_ASSIGN(const MasterClass* const master_class, ClassOf(spec, use));
  COFFER_ASSIGN(const TokenUse usage, TokenUseOf(spec, use));
  return UnwrappedRecipe(*master_class, usage);
}

Recipe UnwrappedRecipe(const MasterClass& master_class, const TokenUse& usage) {
  const std::string what = Named("unwrapped", master_class);
  if (master_class.object_class == ObjectClass::kPrivateKey) {
    return {what, master_class.key_type,
            PrivateFlags(MasterLifetime::kSession, Secrecy::kSealed, usage.abilities),
            usage.mechanisms};
  }
  return {what, master_class.key_type, SecretFlags(Secrecy::kSealed, usage.abilities),
          usage.mechanisms};
}

Result<PairRecipe> ResidentRecipe(const KeySpec& spec, const ResidentPlace& place,
                                  MasterLifetime lifetime) {
  COFFER_ASSIGN(const TokenUse usage, TokenUseOf(spec, Use::kSign));
  const std::string label = ResidentLabel(place.database);
  return PairRecipe{PublicHalf(spec),
                    {label,
                     MakingOf(spec).key_type,
                     PrivateFlags(lifetime, Secrecy::kSealed, usage.abilities),
                     usage.mechanisms,
                     {.label = label, .id = place.locator}}};
}

Result<Recipe> ResidentSecretRecipe(const KeySpec& spec, std::string_view label, ByteView locator) {
  COFFER_ASSIGN(const TokenUse usage, TokenUseOf(spec, Use::kCipher));
  return Recipe(std::string(label), MakingOf(spec).key_type,
                SecretFlags(Secrecy::kSealed, usage.abilities, MasterLifetime::kToken),
                usage.mechanisms,
                {.label = std::string(label),
                 .id = Bytes(locator.begin(), locator.end()),
                 .value_bytes = SecretOctets(spec)});
}

Result<Recipe> SpecimenRecipe(const KeySpec& spec, MasterLifetime lifetime) {
  COFFER_ASSIGN(const TokenUse usage, TokenUseOf(spec, MainUse(spec)));
  return Recipe(std::string(KeyTypeName(spec.type)) + " key", MakingOf(spec).key_type,
                SecretFlags(Secrecy::kSealed, usage.abilities, lifetime), usage.mechanisms,
                {.value_bytes = SecretOctets(spec)});
}

Result<PairRecipe> SpecimenPairRecipe(const KeySpec& spec, MasterLifetime lifetime) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  AllowedMechanisms mechanisms;
  for (const Use use : {Use::kCipher, Use::kSign}) {
    if (use == Use::kCipher && !info.encrypts) continue;
    COFFER_ASSIGN(const TokenUse usage, TokenUseOf(spec, use));
    mechanisms.insert(mechanisms.end(), usage.mechanisms.begin(), usage.mechanisms.end());
  }
  const UsageFlags abilities{.encrypt = kOff,
                             .decrypt = Flag(info.encrypts),
                             .sign = Flag(info.signs),
                             .unwrap = kOff,
                             .derive = kOff};
  return PairRecipe{PublicHalf(spec, lifetime),
                    {std::string(info.name) + " key", MakingOf(spec).key_type,
                     PrivateFlags(lifetime, Secrecy::kSealed, abilities), mechanisms}};
}

Recipe DerivedRecipe(const KeySpec& spec, DerivedUse use) {
  if (use == DerivedUse::kNonce) {
    return {"derived nonce key",
            P11Type::kGenericSecret,
            SecretFlags(Secrecy::kSealed, kSigns),
            {MechanismType::kSha256Hmac},
            {.value_bytes = kStepBytes}};
  }
  const KeyTypeInfo& info = InfoOf(spec.type);
  return {"derived " + std::string(info.name) + " key",
          KeyTypeOf(info.cipher()),
          SecretFlags(Secrecy::kSealed, kEncryptsAndDecrypts),
          {MechanismOf(info.cipher())},
          {.value_bytes = static_cast<unsigned long>(info.bits / 8)}};
}

Recipe DerivationStepRecipe() {
  return {"derived intermediate key",
          P11Type::kAes,
          SecretFlags(Secrecy::kSealed, kDerives),
          {MechanismType::kAesEcbEncryptData},
          {.value_bytes = kStepBytes}};
}

PairRecipe ImportWrappingRecipe(ImportedThrough through, unsigned long bits) {
  const bool in_token = through == ImportedThrough::kToken;
  const std::string label(in_token ? kImportWrappingLabel : kImportDevLabel);
  return {{"public half of " + label,
           P11Type::kRsa,
           PublicFlags(MasterLifetime::kSession, kOff),
           {.parameters = RsaParameters(bits)}},
          {label,
           P11Type::kRsa,
           PrivateFlags(MasterLifetime::kToken, Secrecy::kSealed, in_token ? kUnwraps : kDecrypts),
           {in_token ? MechanismType::kRsaPkcsOaep : MechanismType::kRsaX509},
           {.label = label, .unwrap_template = in_token ? EphemeralPins() : Attributes()}}};
}

Recipe EphemeralRecipe(MechanismType wrap) {
  return {"key that an import came under",
          P11Type::kAes,
          SecretFlags(Secrecy::kSealed, kUnwraps),
          {wrap}};
}

Recipe LeavingRecipe(const MasterClass& master_class) {
  const std::string what = Named("leaving", master_class);
  if (master_class.object_class == ObjectClass::kPrivateKey) {
    return {what, master_class.key_type,
            PrivateFlags(MasterLifetime::kSession, Secrecy::kExtractable, kNoAbility),
            AllowedMechanisms{}};
  }
  return {what, master_class.key_type, SecretFlags(Secrecy::kExtractable, kNoAbility),
          AllowedMechanisms{}};
}

Recipe TransportRecipe(MechanismType wrap) {
  return {"key that an export goes under",
          P11Type::kAes,
          SecretKeyFlags{.token = kOff,
                         .private_object = kOn,
                         .sensitive = kOn,
                         .extractable = kOn,
                         .encrypt = kOff,
                         .decrypt = kOff,
                         .sign = kOff,
                         .verify = kOff,
                         .wrap = kOn,
                         .unwrap = kOff,
                         .derive = kOff,
                         .copyable = kOff,
                         .modifiable = kOff},
          {wrap},
          {.value_bytes = 32}};
}

Recipe DestinationRecipe(const crypto::PublicKey& key) {
  Attributes numbers;
  numbers.Add(AttributeType::kModulus, ByteView(key.Modulus()))
      .Add(AttributeType::kPublicExponent, ByteView(key.Exponent()));
  return {"public key that an export goes to",
          P11Type::kRsa,
          PublicKeyFlags{.token = kOff,
                         .private_object = kOff,
                         .encrypt = kOff,
                         .verify = kOff,
                         .wrap = kOn,
                         .derive = kOff,
                         .copyable = kOff,
                         .modifiable = kOff},
          {.parameters = std::move(numbers)}};
}

Recipe AgreedRecipe(unsigned long bytes) {
  return {"secret that two keys agree on",
          P11Type::kHkdf,
          SecretFlags(Secrecy::kSealed, kDerives),
          {MechanismType::kHkdfDerive},
          {.value_bytes = bytes}};
}

Recipe PublicPointRecipe(unsigned long bytes) {
  return {"x of a public point",
          P11Type::kGenericSecret,
          SecretFlags(Secrecy::kReadable, kNoAbility),
          AllowedMechanisms{},
          {.value_bytes = bytes}};
}

PairRecipe AuditRecipe(MasterLifetime lifetime) {
  const std::string label = lifetime == MasterLifetime::kToken
                                ? std::string(kAuditLabel)
                                : std::string(kProbeLabelPrefix) + "audit";
  return {{label,
           P11Type::kEc,
           PublicFlags(lifetime, kOn),
           {.label = label, .parameters = CurveParameters(KeyType::kEcdsaP256)}},
          {label,
           P11Type::kEc,
           PrivateFlags(lifetime, Secrecy::kSealed, kSigns),
           {MechanismType::kEcdsa},
           {.label = label}}};
}

Recipe EpochRecipe(const Token::Epoch& epoch, MasterLifetime lifetime) {
  const std::string label = EpochLabel(epoch.value);
  Attributes content;
  content.Add(AttributeType::kApplication, kEpochApplication)
      .Add(AttributeType::kValue, epoch.database.View());
  return {label,
          DataFlags{.token = Flag(lifetime == MasterLifetime::kToken),
                    .private_object = kOn,
                    .modifiable = kOn},
          {.label = label, .parameters = std::move(content)}};
}

}  // namespace coffer::keyring
