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

// A copy in which this flag, if it stands there, has another value.
Attributes With(const Attributes& attributes, AttributeType flag, bool value) {
  Attributes changed;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes.TypeAt(i) == flag) {
      changed.Add(flag, value);
    } else {
      changed.Add(attributes.TypeAt(i), attributes.ValueAt(i));
    }
  }
  return changed;
}

Attributes Without(const Attributes& attributes, std::initializer_list<AttributeType> flags) {
  Attributes changed;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (std::ranges::count(flags, attributes.TypeAt(i)) == 0) {
      changed.Add(attributes.TypeAt(i), attributes.ValueAt(i));
    }
  }
  return changed;
}

// The release has no master for Ed25519 keys, because SoftHSM cannot wrap them; another token may.
const MasterClass& ClassFor(const KeySpec& spec, Use use) {
  static constexpr MasterClass kEdwards{
      "ed25519", ObjectClass::kPrivateKey, pkcs11::KeyType::kEcEdwards, false, false, false};
  const bool edwards = InfoOf(spec.type).family == Family::kEd25519 && use == Use::kSign;
  return edwards ? kEdwards : ClassOf(spec, use);
}

Attributes SessionObject(ObjectClass object_class, pkcs11::KeyType type) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, object_class)
      .Add(AttributeType::kKeyType, type)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSensitive, true);
  return attributes;
}

// All that a resident key would be used for is allowed to one object; every flag is set, because
// tokens take omitted ones for true.
Attributes ResidentTemplate(const KeySpec& spec) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  const KeyMaking& making = MakingOf(spec);
  Attributes attributes = SessionObject(
      making.pair ? ObjectClass::kPrivateKey : ObjectClass::kSecretKey, making.key_type);
  attributes.Add(AttributeType::kExtractable, false);
  if (making.pair) {
    attributes.Add(AttributeType::kDecrypt, info.encrypts)
        .Add(AttributeType::kSign, info.signs)
        .Add(AttributeType::kUnwrap, false);
    return attributes;
  }
  const bool cipher = info.encrypts && !spec.derived;
  attributes.Add(AttributeType::kEncrypt, cipher)
      .Add(AttributeType::kDecrypt, cipher)
      .Add(AttributeType::kSign, !info.encrypts)
      .Add(AttributeType::kDerive, spec.derived)
      .Add(AttributeType::kWrap, false)
      .Add(AttributeType::kUnwrap, false)
      .Add(AttributeType::kValueLen, SecretOctets(spec));
  return attributes;
}

}  // namespace

Status DoctorBench::Open(const SecretBytes& pin) {
  COFFER_ASSIGN(keeper_, module_.OpenSession(slot_));
  COFFER_TRY(module_.Login(*keeper_, pkcs11::UserType::kUser, pin));
  std::array<std::uint8_t, 16> random{};
  COFFER_TRY(keeper_->GenerateRandom(random));
  label_ = std::string(kProbeLabelPrefix) + ToHex(random);
  COFFER_TRY(Renew());
  COFFER_ASSIGN(profile_, pkcs11::ProbeToken(*maker_));
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

// The label comes first, so that the object has it even if the token fails at a later attribute.
Attributes DoctorBench::Labelled(const Attributes& attributes) const {
  Attributes labelled;
  labelled.Add(AttributeType::kLabel, label_).Append(attributes);
  return labelled;
}

Result<ObjectHandle> DoctorBench::Master(const MasterClass& master_class) {
  if (const auto known = masters_.find(master_class.name); known != masters_.end()) {
    return known->second;
  }
  COFFER_ASSIGN(
      const ObjectHandle master,
      maker_->GenerateKey(pkcs11::MechanismType::kAesKeyGen,
                          MasterTemplate(master_class, label_, *profile_.key_wrap_with_padding,
                                         MasterLifetime::kSession)));
  masters_.emplace(master_class.name, master);
  return master;
}

Result<ObjectHandle> DoctorBench::Generate(const KeySpec& spec, const Attributes& attributes) {
  return maker_->GenerateKey(MakingOf(spec).generator, Labelled(attributes));
}

Result<Bytes> DoctorBench::WrapNew(const KeySpec& spec, Use use,
                                   crypto::PublicKey::Shared& public_key) {
  const MasterClass& master_class = ClassFor(spec, use);
  if (master_class.name.empty()) {
    return Fail(Code::kTokenRefused, "there is no class of master keys for it");
  }
  COFFER_ASSIGN(const ObjectHandle master, Master(master_class));
  const auto wrap = [&](ObjectHandle key) {
    return maker_->WrapKey(*profile_.key_wrap_with_padding, master, key);
  };
  const KeyTypeInfo& info = InfoOf(spec.type);
  if (!MakingOf(spec).pair) {
    COFFER_ASSIGN(const ObjectHandle key,
                  Generate(spec, NewSecretTemplate(master_class, SecretOctets(spec))));
    const PassingObject extractable(*maker_, key);
    return wrap(key);
  }
  COFFER_ASSIGN(const pkcs11::KeyPair pair,
                maker_->GenerateKeyPair(MakingOf(spec).generator, Labelled(NewPublicTemplate(info)),
                                        Labelled(NewPrivateTemplate())));
  const PassingObject public_object(*maker_, pair.public_key);
  const PassingObject extractable(*maker_, pair.private_key);
  COFFER_ASSIGN(public_key, ReadPublicKey(*maker_, pair.public_key, info));
  return wrap(pair.private_key);
}

// An attacker with the PIN and the database would do the same.
Status DoctorBench::AttackBlob(const Specimen& specimen) {
  const MasterClass& master_class = ClassFor(specimen.spec, specimen.use);
  COFFER_ASSIGN(const ObjectHandle master, Master(master_class));
  Attributes attack = SessionObject(master_class.object_class, master_class.key_type);
  attack.Add(AttributeType::kExtractable, true);
  const auto stolen =
      maker_->UnwrapKey(*profile_.key_wrap_with_padding, master, specimen.blob, Labelled(attack));
  if (!stolen) return {};
  const PassingObject object(*maker_, *stolen);
  const auto extractable = maker_->GetBool(*stolen, AttributeType::kExtractable);
  if (extractable && !*extractable) return {};
  return Fail(Code::kTokenRefused,
              "its unwrap template does not hold for this class: a blob came back extractable");
}

Result<Specimen> DoctorBench::MakeWrapped(const KeySpec& spec, Use use) {
  if (const std::string never = NeverWrapped(profile_); !never.empty()) {
    return Fail(Code::kTokenRefused, never);
  }
  Specimen specimen{.spec = spec, .use = use, .way = Way::kWrapped};
  COFFER_ASSIGN(specimen.blob, WrapNew(spec, use, specimen.public_key));
  COFFER_TRY(AttackBlob(specimen));
  COFFER_ASSIGN(const ObjectHandle handle, Take(specimen, use));
  Release(specimen, handle);
  return specimen;
}

Result<Specimen> DoctorBench::MakeResident(const KeySpec& spec, Use use, bool in_token) {
  Specimen specimen{.spec = spec, .use = use, .way = Way::kResident, .in_token = in_token};
  const KeyTypeInfo& info = InfoOf(spec.type);
  const Attributes secret = With(ResidentTemplate(spec), AttributeType::kToken, in_token);
  if (!MakingOf(spec).pair) {
    COFFER_ASSIGN(specimen.resident, Generate(spec, secret));
    return specimen;
  }
  // Nothing is done with the public half, so what it may do is left to the token. NSS softokn tries
  // a new pair with both halves; tpm2-pkcs11 refuses a pair whose VERIFY is not the private half's
  // DECRYPT.
  const Attributes open = Without(With(NewPublicTemplate(info), AttributeType::kToken, in_token),
                                  {AttributeType::kEncrypt, AttributeType::kVerify});
  COFFER_ASSIGN(
      const pkcs11::KeyPair pair,
      maker_->GenerateKeyPair(MakingOf(spec).generator, Labelled(open), Labelled(secret)));
  const PassingObject public_object(*maker_, pair.public_key);
  specimen.resident = pair.private_key;
  auto public_key = ReadPublicKey(*maker_, pair.public_key, info);
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
  auto resident = MakeResident(spec, use, false);
  if (!resident && token_objects_) resident = MakeResident(spec, use, true);
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
  COFFER_ASSIGN(const Specimen again, MakeResident(specimen.spec, specimen.use, specimen.in_token));
  Discard(again);
  return {};
}

Result<ObjectHandle> DoctorBench::Take(const Specimen& specimen, Use use) {
  if (specimen.way != Way::kWrapped) return specimen.resident;
  const MasterClass& master_class = ClassFor(specimen.spec, use);
  COFFER_ASSIGN(const ObjectHandle master, Master(master_class));
  return maker_->UnwrapKey(
      *profile_.key_wrap_with_padding, master, specimen.blob,
      Labelled(UnwrappedKeyTemplate(master_class, UsageOf(specimen.spec, use))));
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
