#include "keyring/doctor_bench.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "keyring/lost.h"
#include "keyring/passing_object.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::ObjectClass;
using pkcs11::ObjectHandle;
using pkcs11::UnwrapTemplateUse;

// The reason why this token keeps no key wrapped; empty if it may keep keys wrapped.
std::string NeverWrapped(const pkcs11::TokenProfile& profile) {
  if (!profile.key_wrap_with_padding) return "the token does no key wrap with padding (RFC 5649)";
  switch (profile.unwrap_template) {
    case UnwrapTemplateUse::kEnforced:
      return "";
    case UnwrapTemplateUse::kIgnored:
      return "the token ignores unwrap templates: its PIN would unwrap every key in the clear";
    case UnwrapTemplateUse::kRefused:
      break;
  }
  return "the token takes no unwrap template";
}

// The template without some of its attributes.
Attributes Without(const Attributes& attributes, std::initializer_list<AttributeType> types) {
  Attributes changed;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (std::ranges::count(types, attributes.TypeAt(i)) == 0) {
      changed.Add(attributes.TypeAt(i), attributes.ValueAt(i));
    }
  }
  return changed;
}

// The release has no master for Ed25519 keys, because SoftHSM cannot wrap them; another token may.
Result<const MasterClass*> ClassFor(const KeySpec& spec, Use use) {
  static constexpr MasterClass kEdwards{.name = "ed25519",
                                        .kind = KeyKind::kEd25519,
                                        .origin = Origin::kBorn,
                                        .object_class = ObjectClass::kPrivateKey,
                                        .key_type = pkcs11::KeyType::kEcEdwards,
                                        .may_encrypt = kDemandOff,
                                        .may_sign = kNoDemand,
                                        .may_derive = kDemandOff,
                                        .first = FirstMaster::kAtFirstKey};
  if (InfoOf(spec.type).family == Family::kEd25519 && use == Use::kSign) return &kEdwards;
  return ClassOf(spec, use);
}

}  // namespace

Status DoctorBench::Open(const SecretBytes& pin) {
  COFFER_ASSIGN(keeper_, module_.OpenSession(slot_));
  COFFER_TRY(module_.Login(*keeper_, pkcs11::UserType::kUser, pin));
  std::array<std::uint8_t, 16> random{};
  COFFER_TRY(keeper_->GenerateRandom(random));
  label_ = std::string(kProbeLabelPrefix) + ToHex(random);
  COFFER_TRY(Renew());
  COFFER_ASSIGN(trial_, TryToken(module_, slot_));
  return {};
}

Status DoctorBench::Renew() {
  masters_.clear();
  maker_.reset();
  COFFER_ASSIGN(maker_, module_.OpenSession(slot_));
  return {};
}

Result<pkcs11::Session*> DoctorBench::User() {
  if (!user_ || user_->Broken()) {
    user_.reset();
    COFFER_ASSIGN(user_, module_.OpenSession(slot_));
  }
  return &*user_;
}

Status DoctorBench::CheckAlive() {
  std::array<std::uint8_t, 1> octet{};
  COFFER_TRY(keeper_->GenerateRandom(octet));
  return maker_->Broken() ? Renew() : Status{};
}

Result<ObjectHandle> DoctorBench::Master(const MasterClass& master_class) {
  if (const auto known = masters_.find(master_class.name); known != masters_.end()) {
    return known->second;
  }
  COFFER_ASSIGN(
      const ObjectHandle master,
      objects_.Generate(*maker_, pkcs11::MechanismType::kAesKeyGen,
                        MasterRecipe(master_class, label_, *trial_.found.key_wrap_with_padding,
                                     MasterLifetime::kSession)));
  masters_.emplace(master_class.name, master);
  return master;
}

Result<Bytes> DoctorBench::WrapNew(const KeySpec& spec, Use use,
                                   crypto::PublicKey::Shared& public_key) {
  COFFER_ASSIGN(const MasterClass* const master_class, ClassFor(spec, use));
  COFFER_ASSIGN(const ObjectHandle master, Master(*master_class));
  const auto wrap = [&](ObjectHandle key) {
    return maker_->WrapKey(*trial_.found.key_wrap_with_padding, master, key);
  };
  const pkcs11::MechanismType generator = MakingOf(spec).generator;
  if (!MakingOf(spec).pair) {
    const Recipe recipe = NewSecretRecipe(*master_class, SecretOctets(spec)).WithLabel(label_);
    COFFER_ASSIGN(const ObjectHandle key, objects_.Generate(*maker_, generator, recipe));
    const PassingObject extractable(*maker_, key);
    return wrap(key);
  }
  const PairRecipe recipe = NewPairRecipe(spec);
  COFFER_ASSIGN(const pkcs11::KeyPair pair,
                objects_.GeneratePair(*maker_, generator, recipe.public_half.WithLabel(label_),
                                      recipe.private_half.WithLabel(label_)));
  const PassingObject public_object(*maker_, pair.public_key);
  const PassingObject extractable(*maker_, pair.private_key);
  COFFER_ASSIGN(public_key, ReadPublicKey(*maker_, pair.public_key, InfoOf(spec.type)));
  return wrap(pair.private_key);
}

// An attacker with the PIN and the database would do the same.
Status DoctorBench::AttackBlob(const Specimen& specimen) {
  COFFER_ASSIGN(const MasterClass* const master_class, ClassFor(specimen.spec, specimen.use));
  COFFER_ASSIGN(const ObjectHandle master, Master(*master_class));
  Attributes attack;
  attack.Add(AttributeType::kLabel, label_)
      .Add(AttributeType::kClass, master_class->object_class)
      .Add(AttributeType::kKeyType, master_class->key_type)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, true);
  const auto stolen =
      maker_->UnwrapKey(*trial_.found.key_wrap_with_padding, master, specimen.blob, attack);
  if (!stolen) return {};
  const PassingObject object(*maker_, *stolen);
  const auto extractable = maker_->GetBool(*stolen, AttributeType::kExtractable);
  if (extractable && !*extractable) return {};
  return Fail(Code::kTokenRefused,
              "its unwrap template does not hold for this class: a blob came back extractable");
}

Result<Specimen> DoctorBench::MakeWrapped(const KeySpec& spec, Use use) {
  if (const std::string never = NeverWrapped(trial_.found); !never.empty()) {
    return Fail(Code::kTokenRefused, never);
  }
  Specimen specimen{.spec = spec, .use = use, .way = Way::kWrapped};
  COFFER_ASSIGN(specimen.blob, WrapNew(spec, use, specimen.public_key));
  COFFER_TRY(AttackBlob(specimen));
  COFFER_ASSIGN(const ObjectHandle handle, Take(specimen, use));
  Release(specimen, handle);
  return specimen;
}

Result<pkcs11::KeyPair> DoctorBench::MakeResidentPair(const KeySpec& spec,
                                                      MasterLifetime lifetime) {
  const pkcs11::MechanismType generator = MakingOf(spec).generator;
  if (InfoOf(spec.type).family == Family::kEd25519) {  // as a server makes them
    COFFER_ASSIGN(const PairRecipe recipe, ResidentRecipe(spec, {}, lifetime));
    return objects_.GeneratePair(*maker_, generator, recipe.public_half.WithLabel(label_),
                                 recipe.private_half.WithLabel(label_));
  }
  // This release keeps no such key as an object. It is tried with attributes that every token has,
  // so that the answer is about the key and not about a flag: tpm2-pkcs11 has neither CKA_COPYABLE
  // nor CKA_MODIFIABLE. Nothing is done with the public half, so what it may do is left to the
  // token. NSS softokn tries a new pair with both halves; tpm2-pkcs11 refuses a pair whose VERIFY
  // is not the private half's DECRYPT.
  COFFER_ASSIGN(const PairRecipe recipe, SpecimenPairRecipe(spec, lifetime));
  const Attributes open =
      Without(recipe.public_half.WithLabel(label_).Template(),
              {AttributeType::kEncrypt, AttributeType::kVerify, AttributeType::kDerive,
               AttributeType::kCopyable, AttributeType::kModifiable});
  const Attributes secret =
      Without(recipe.private_half.WithLabel(label_).Template(),
              {AttributeType::kSignRecover, AttributeType::kDerive, AttributeType::kCopyable,
               AttributeType::kModifiable, AttributeType::kAllowedMechanisms});
  COFFER_ASSIGN(const pkcs11::KeyPair pair, maker_->GenerateKeyPair(generator, open, secret));
  const Status good =
      VerifyAttributes(*maker_, pair.private_key, secret, recipe.private_half.What());
  if (good) return pair;
  static_cast<void>(maker_->DestroyObject(pair.private_key));
  static_cast<void>(maker_->DestroyObject(pair.public_key));
  return Fail(good.error());
}

Result<Specimen> DoctorBench::MakeResident(const KeySpec& spec, Use use, MasterLifetime lifetime) {
  Specimen specimen{.spec = spec,
                    .use = use,
                    .way = Way::kResident,
                    .in_token = lifetime == MasterLifetime::kToken};
  if (!MakingOf(spec).pair) {
    COFFER_ASSIGN(const Recipe recipe, SpecimenRecipe(spec, lifetime));
    COFFER_ASSIGN(specimen.resident,
                  objects_.Generate(*maker_, MakingOf(spec).generator, recipe.WithLabel(label_)));
    return specimen;
  }
  COFFER_ASSIGN(const pkcs11::KeyPair pair, MakeResidentPair(spec, lifetime));
  const PassingObject public_object(*maker_, pair.public_key);
  specimen.resident = pair.private_key;
  auto public_key = ReadPublicKey(*maker_, pair.public_key, InfoOf(spec.type));
  if (!public_key) {
    Discard(specimen);
    return Fail(std::move(public_key).error());
  }
  specimen.public_key = *std::move(public_key);
  return specimen;
}

Specimen DoctorBench::Make(const KeySpec& spec, Use use) {
  auto wrapped = MakeWrapped(spec, use);
  if (wrapped) return *std::move(wrapped);
  if (maker_->Broken() && !Renew()) return {.spec = spec, .use = use, .note = Why(wrapped.error())};
  auto resident = MakeResident(spec, use, MasterLifetime::kSession);
  if (!resident && token_objects_) resident = MakeResident(spec, use, MasterLifetime::kToken);
  if (!resident) return {.spec = spec, .use = use, .note = Why(resident.error())};
  resident->note = "not wrapped: " + Why(wrapped.error());
  if (resident->in_token) resident->note += "; it makes token objects only";
  return *std::move(resident);
}

Status DoctorBench::MakeAgain(const Specimen& specimen) {
  if (specimen.way == Way::kWrapped) {
    crypto::PublicKey::Shared public_key;
    COFFER_TRY(WrapNew(specimen.spec, specimen.use, public_key));
    return {};
  }
  COFFER_ASSIGN(const Specimen again, MakeResident(specimen.spec, specimen.use,
                                                   specimen.in_token ? MasterLifetime::kToken
                                                                     : MasterLifetime::kSession));
  Discard(again);
  return {};
}

Result<ObjectHandle> DoctorBench::Take(const Specimen& specimen, Use use) {
  if (specimen.way != Way::kWrapped) return specimen.resident;
  COFFER_ASSIGN(const MasterClass* const master_class, ClassFor(specimen.spec, use));
  COFFER_ASSIGN(const TokenUse usage, TokenUseOf(specimen.spec, use));
  COFFER_ASSIGN(const ObjectHandle master, Master(*master_class));
  return objects_.Unwrap(*maker_, *trial_.found.key_wrap_with_padding, master, specimen.blob,
                         UnwrappedRecipe(*master_class, usage).WithLabel(label_));
}

void DoctorBench::Release(const Specimen& specimen, ObjectHandle handle) {
  if (specimen.way == Way::kWrapped) static_cast<void>(maker_->DestroyObject(handle));
}

void DoctorBench::Discard(const Specimen& specimen) {
  if (specimen.way == Way::kResident) static_cast<void>(maker_->DestroyObject(specimen.resident));
}

Result<bool> DoctorBench::KeepsSessionObjects() {
  Attributes wanted;
  wanted.Add(AttributeType::kToken, true).Add(AttributeType::kLabel, label_);
  COFFER_ASSIGN(const auto kept, maker_->Find(wanted));
  return !kept.empty();
}

Result<std::size_t> DoctorBench::Clear() {
  Attributes ours;
  ours.Add(AttributeType::kLabel, label_);
  COFFER_ASSIGN(const auto objects, maker_->Find(ours));
  for (const ObjectHandle object : objects) static_cast<void>(maker_->DestroyObject(object));
  masters_.clear();
  COFFER_ASSIGN(const auto left, maker_->Find(ours));
  return left.size();
}

}  // namespace coffer::keyring
