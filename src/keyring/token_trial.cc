#include "keyring/token_trial.h"

#include <array>
#include <functional>
#include <utility>

#include "coffer/crypto/digest.h"
#include "coffer/crypto/public_key.h"
#include "keyring/audit_key.h"
#include "keyring/key_recipes.h"
#include "keyring/object_maker.h"
#include "keyring/passing_object.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectHandle;
using pkcs11::Session;

constexpr std::array<std::uint8_t, 16> kData{0x63, 0x6f, 0x66, 0x66, 0x65, 0x72};

auto WrongAnswer(std::string_view what) {
  return Fail(Code::kTokenFailed, "the token's answer is wrong: " + std::string(what));
}

class Trial {
 public:
  Trial(pkcs11::Module& module, pkcs11::SlotId slot) : module_(module), slot_(slot) {}
  Result<TokenTrial> Run();

 private:
  using Step = std::function<Status(Session&)>;
  // Runs a step on a session of its own. Each step destroys what it made: some tokens keep session
  // objects for good. False, with `what` noted, if the token cannot do it.
  Result<bool> Try(std::string_view what, const Step& step);
  Status TryKeptKey(Session& session);
  Status TryRowMacs(Session& session);
  Status TryAuditKey(Session& session);
  Status TryEpoch(Session& session);
  Result<Mac> MacWith(Session& session, ObjectHandle key);

  pkcs11::Module& module_;
  const pkcs11::SlotId slot_;
  ObjectMaker objects_{ObjectMaker::ReadBack::kEachObject};
  TokenTrial trial_;
};

Result<bool> Trial::Try(std::string_view what, const Step& step) {
  COFFER_ASSIGN(Session session, module_.OpenSession(slot_));
  const Status done = step(session);
  if (done) return true;
  if (done.error().code == Code::kTokenLost) return Fail(done.error());
  const std::string& why = done.error().cause.empty() ? done.error().message : done.error().cause;
  trial_.missing.push_back(std::string(what) + " (" + why + ")");
  return false;
}

Result<Mac> Trial::MacWith(Session& session, ObjectHandle key) {
  Mac mac{};
  COFFER_ASSIGN(const std::size_t size, session.Sign(MechanismType::kSha256Hmac, key, kData, mac));
  if (size != mac.size()) return WrongAnswer("a MAC of another length");
  return mac;
}

// The HMAC key that every version of every type has: made, wrapped, opened twice, used, and
// attacked.
Status Trial::TryKeptKey(Session& session) {
  const MechanismType wrap = *trial_.found.key_wrap_with_padding;
  const KeySpec spec{.type = KeyType::kHmac};
  COFFER_ASSIGN(const MasterClass* const master_class, ClassOf(spec, Use::kHmac));
  COFFER_ASSIGN(
      const ObjectHandle master,
      objects_.Generate(session, MechanismType::kAesKeyGen,
                        MasterRecipe(*master_class, std::string(kProbeLabelPrefix) + "try", wrap,
                                     MasterLifetime::kSession)));
  const PassingObject passing_master(session, master);
  COFFER_ASSIGN(const ObjectHandle key,
                objects_.Generate(session, MakingOf(spec).generator,
                                  NewSecretRecipe(*master_class, SecretOctets(spec))));
  const PassingObject passing(session, key);
  COFFER_ASSIGN(const Bytes blob, session.WrapKey(wrap, master, key));
  COFFER_ASSIGN(const Recipe recipe, UnwrappedRecipe(spec, Use::kHmac));
  COFFER_ASSIGN(const ObjectHandle one, objects_.Unwrap(session, wrap, master, blob, recipe));
  const PassingObject opened(session, one);
  COFFER_ASSIGN(const ObjectHandle other, objects_.Unwrap(session, wrap, master, blob, recipe));
  const PassingObject opened_again(session, other);
  COFFER_ASSIGN(const Mac by_one, MacWith(session, one));
  COFFER_ASSIGN(const Mac by_other, MacWith(session, other));
  if (by_one != by_other) return WrongAnswer("one blob gives two keys");
  Attributes attack;
  attack.Add(AttributeType::kClass, master_class->object_class)
      .Add(AttributeType::kKeyType, master_class->key_type)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kExtractable, true);
  const auto stolen = session.UnwrapKey(wrap, master, blob, attack);
  if (!stolen) return {};
  const PassingObject gone(session, *stolen);
  COFFER_ASSIGN(const bool extractable, session.GetBool(*stolen, AttributeType::kExtractable));
  return extractable ? WrongAnswer("a blob came back extractable") : Status{};
}

Status Trial::TryRowMacs(Session& session) {
  COFFER_ASSIGN(const ObjectHandle key,
                objects_.Generate(session, MechanismType::kGenericSecretKeyGen,
                                  MetaRecipe(MasterLifetime::kSession)));
  const PassingObject passing(session, key);
  COFFER_TRY(MacWith(session, key));
  return {};
}

Status Trial::TryAuditKey(Session& session) {
  const PairRecipe recipe = AuditRecipe(MasterLifetime::kSession);
  COFFER_ASSIGN(const pkcs11::KeyPair pair,
                objects_.GeneratePair(session, MechanismType::kEcKeyPairGen, recipe.public_half,
                                      recipe.private_half));
  const PassingObject public_half(session, pair.public_key);
  const PassingObject private_half(session, pair.private_key);
  COFFER_ASSIGN(const auto public_key,
                ReadPublicKey(session, pair.public_key, InfoOf(KeyType::kEcdsaP256)));
  const Bytes digest = crypto::Hash(crypto::HashAlgorithm::kSha256, kData);
  COFFER_ASSIGN(const Bytes signature,
                SignDigest(session, {.private_key = pair.private_key, .point = {}}, digest));
  if (!public_key->VerifyEcdsa(digest, crypto::EcdsaToDer(signature))) {
    return WrongAnswer("a signature does not verify");
  }
  return {};
}

Status Trial::TryEpoch(Session& session) {
  const std::string before = std::string(kProbeLabelPrefix) + "epoch-0";
  const std::string after = std::string(kProbeLabelPrefix) + "epoch-1";
  COFFER_ASSIGN(
      const ObjectHandle object,
      objects_.Create(session, EpochRecipe({}, MasterLifetime::kSession).WithLabel(before)));
  const PassingObject passing(session, object);
  Attributes label;
  label.Add(AttributeType::kLabel, after);
  COFFER_TRY(session.SetAttributes(object, label));
  return VerifyAttributes(session, object, label, after);
}

Result<TokenTrial> Trial::Run() {
  {
    COFFER_ASSIGN(Session session, module_.OpenSession(slot_));
    COFFER_ASSIGN(trial_.found, pkcs11::ProbeToken(session));
  }
  if (!trial_.found.key_wrap_with_padding) {
    trial_.missing.emplace_back("key wrap with padding (RFC 5649)");
  }
  if (trial_.found.unwrap_template != pkcs11::UnwrapTemplateUse::kEnforced) {
    trial_.missing.emplace_back("an unwrap template that is enforced");
  } else {
    COFFER_TRY(Try("HMAC keys that stay in it", [this](Session& s) { return TryKeptKey(s); }));
  }
  COFFER_TRY(Try("HMAC-SHA256", [this](Session& s) { return TryRowMacs(s); }));
  COFFER_TRY(Try("ECDSA on P-256", [this](Session& s) { return TryAuditKey(s); }));
  COFFER_ASSIGN(trial_.keeps_epoch, Try("a data object whose label can be changed",
                                        [this](Session& s) { return TryEpoch(s); }));
  if (trial_.missing.empty()) {
    trial_.profile = TokenSettings{.key_wrap = *trial_.found.key_wrap_with_padding};
  }
  return std::move(trial_);
}

}  // namespace

Result<TokenTrial> TryToken(pkcs11::Module& module, pkcs11::SlotId slot) {
  return Trial(module, slot).Run();
}

Result<TokenSettings> SettingsOf(const TokenTrial& trial) {
  if (trial.profile) return *trial.profile;
  std::string missing;
  for (const std::string& each : trial.missing) missing += (missing.empty() ? "" : ", ") + each;
  return Fail(Code::kTokenRefused, "the token cannot keep this release's keys: it lacks " +
                                       missing + "; coffer hsm doctor says what it can do");
}

}  // namespace coffer::keyring
