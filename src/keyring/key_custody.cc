// The kinds of key that this token can hold, found by trying them out, and the masters that wrap
// them.

#include <string>
#include <utility>

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

// This is never the name of a master, since those end in a version.
constexpr std::string_view kTrialMaster = "trial";

auto Unsupported(const KeySpec& spec, std::string why) {
  const std::string derived =
      spec.kdf == Kdf::kNone ? "" : " derived with " + std::string(KdfName(spec.kdf));
  return Fail(Refusal::kKeyTypeUnsupported,
              {.name = std::string(KeyTypeName(spec.type)) + derived, .detail = std::move(why)});
}

}  // namespace

Result<Custody> Pkcs11Token::CustodyOf(const KeySpec& spec) {
  if (spec.resident) return Custody::kResident;
  COFFER_TRY(WithKdf(spec));
  return InfoOf(spec.type).family == Family::kEd25519 ? Custody::kResident : Custody::kWrapped;
}

Result<KeySpec> Pkcs11Token::WithKdf(const KeySpec& asked) {
  KeySpec spec = asked;
  spec.kdf = Kdf::kNone;
  spec.derived = false;
  if (asked.derived && InfoOf(spec.type).family == Family::kEd25519) {
    return Unsupported(spec, "the token cannot derive key pairs, so derived must be false");
  }
  COFFER_TRY(Able(spec));
  if (!asked.derived) return spec;
  spec.derived = true;
  Status able;
  for (const Kdf kdf : Kdfs()) {
    spec.kdf = kdf;
    able = Able(spec);
    if (able) return spec;
    if (able.error().refusal != Refusal::kKeyTypeUnsupported) break;
  }
  return Fail(std::move(able).error());
}

Status Pkcs11Token::Able(const KeySpec& spec) {
  if (const auto known = makings_.find({spec.type, spec.kdf}); known != makings_.end()) {
    return known->second;
  }
  bool certain = true;
  Status able = TryMaking(spec, certain);
  // A mechanism that the token lacks will be missing at the next try, too, so the finding is kept.
  // A failure for another reason says nothing about the token and is not kept.
  const bool lacks = !able && able.error().refusal == Refusal::kKeyTypeUnsupported && certain;
  if (able || lacks) makings_[{spec.type, spec.kdf}] = able;
  return able;
}

Status Pkcs11Token::TryMaking(const KeySpec& spec, bool& certain) {
  const KeyTypeInfo& info = InfoOf(spec.type);
  const KeyMaking& making = MakingOf(spec);
  // Making an RSA key takes long, so the first key is its own probe.
  if (info.family == Family::kRsa) return {};
  const auto lacks = [&](const Error& error) -> Status {
    if (error.code != Code::kTokenRefused) return Fail(error);
    return Unsupported(spec, "the token cannot make " + std::string(making.missing));
  };
  if (making.pair) {
    const PairRecipe recipe = NewPairRecipe(spec);
    const auto pair =
        maker_.GeneratePair(*session_, making.generator, recipe.public_half, recipe.private_half);
    if (!pair) return lacks(pair.error());
    const PassingObject public_key(*session_, pair->public_key);
    const PassingObject private_key(*session_, pair->private_key);
  } else {
    COFFER_ASSIGN(const MasterClass* const master_class, ClassOf(spec, MainUse(spec)));
    const auto key = maker_.Generate(*session_, making.generator,
                                     NewSecretRecipe(*master_class, SecretOctets(spec)));
    if (!key) return lacks(key.error());
    const PassingObject gone(*session_, *key);
  }
  return making.pair ? Status{} : TryKeeping(spec, certain);
}

Status Pkcs11Token::TryKeeping(const KeySpec& spec, bool& certain) {
  const Use use = MainUse(spec);
  const std::string name(kTrialMaster);
  const std::string label = std::string(kProbeLabelPrefix) + name;
  COFFER_ASSIGN(const MasterClass* const master_class, ClassOf(spec, use));
  const auto master =
      maker_.Generate(*session_, MechanismType::kAesKeyGen,
                      MasterRecipe(*master_class, label, KeyWrap(), MasterLifetime::kSession));
  Status kept;
  if (master) {
    const PassingObject gone(*session_, *master);
    masters_[name] = *master;
    const auto blob = WrapNew(spec, use, name);
    kept = blob ? CheckTwice(spec, use, name, *blob) : Fail(blob.error());
    if (kept && use == Use::kDerive) kept = CheckNonceKey(spec, name, *blob);
    masters_.erase(name);
  } else {
    kept = Fail(master.error());
  }
  if (kept) return {};
  certain = kept.error().code == Code::kTokenRefused;
  const std::string why = Why(kept.error());
  if (Status judged =
          Blame(kept.error(), Error(Code::kAuthenticationFailed, why, kept.error().cause));
      judged.error().code != Code::kAuthenticationFailed) {
    return judged;
  }
  return Unsupported(spec, "the token makes " + std::string(MakingOf(spec).missing) +
                               ", but does not keep and use them: " + why);
}

Status Pkcs11Token::CheckNonceKey(const KeySpec& spec, std::string_view master, ByteView blob) {
  COFFER_ASSIGN(const TokenHandle base_handle, Open(spec, Use::kDerive, master, blob));
  const PassingObject base(*session_, base_handle);
  COFFER_ASSIGN(const TokenHandle handle, Derive(spec, base.get(), DerivedUse::kNonce, {}));
  const PassingObject derived(*session_, handle);
  Mac mac{};
  COFFER_TRY(Sign(derived.get(), {SignMechanism::Kind::kHmac}, {}, mac));
  return {};
}

Result<ObjectHandle> Pkcs11Token::Master(const std::string& name) {
  if (const auto found = masters_.find(name); found != masters_.end()) return found->second;
  // Another instance may have made the master since this one started, so it is looked up.
  COFFER_ASSIGN(const MasterClass* const master_class, ClassOfMaster(name));
  if (master_class->first == FirstMaster::kAtFirstKey) COFFER_TRY(FindMaster(*master_class, name));
  const auto found = masters_.find(name);
  if (found == masters_.end()) {
    return Fail(Code::kCorrupt, "master key " + name + " is not in the token");
  }
  return found->second;
}

Result<bool> Pkcs11Token::FindMaster(const MasterClass& master_class, const std::string& name) {
  const std::string label = MasterLabel(name);
  Attributes wanted;
  wanted.Add(AttributeType::kLabel, label);
  COFFER_ASSIGN(const std::vector<ObjectHandle> found, session_->Find(wanted));
  if (found.empty()) return false;
  if (found.size() > 1) {
    return Fail(Code::kTokenRefused, "token holds more than one object labelled " + label);
  }
  COFFER_TRY(VerifyObject(*session_, found.front(), MasterRecipe(master_class, label, KeyWrap())));
  masters_[name] = found.front();
  return true;
}

Status Pkcs11Token::FindMasters() {
  masters_.clear();
  for (const MasterClass& master_class : MasterClasses()) {
    for (int version = 1;; ++version) {
      const std::string name = MasterName(master_class.name, version);
      COFFER_ASSIGN(const bool found, FindMaster(master_class, name));
      if (!found) break;
    }
  }
  return {};
}

Result<std::string> Pkcs11Token::NewestMaster(const MasterClass& master_class) const {
  std::string newest;
  for (int version = 1;; ++version) {
    const std::string name = MasterName(master_class.name, version);
    if (!masters_.contains(name)) break;
    newest = name;
  }
  if (newest.empty()) {
    return Fail(Code::kNotFound, "token has no master key for " + std::string(master_class.name) +
                                     " keys: run coffer hsm init first");
  }
  return newest;
}

Result<std::string> Pkcs11Token::MasterFor(const MasterClass& master_class) {
  auto newest = NewestMaster(master_class);
  if (newest || master_class.first == FirstMaster::kAtInit) return newest;
  const std::string name = MasterName(master_class.name, 1);
  // Another process may have been faster.
  COFFER_ASSIGN(const bool found, FindMaster(master_class, name));
  if (found) return name;
  const std::string label = MasterLabel(name);
  COFFER_ASSIGN(const ObjectHandle master,
                maker_.Generate(*session_, MechanismType::kAesKeyGen,
                                MasterRecipe(master_class, label, KeyWrap())));
  COFFER_TRY(Sync());
  masters_[name] = master;
  return name;
}

}  // namespace coffer::keyring
