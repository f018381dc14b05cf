#include "coffer/keyring/token_admin.h"

#include <algorithm>
#include <array>
#include <utility>

#include "coffer/pkcs11/session.h"
#include "keyring/audit_key.h"
#include "keyring/masters.h"
#include "keyring/module_copy.h"
#include "keyring/object_maker.h"
#include "keyring/pkcs11_token.h"
#include "keyring/token_description.h"
#include "keyring/token_trial.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;

std::string ClassName(unsigned long object_class) {
  switch (static_cast<ObjectClass>(object_class)) {
    case ObjectClass::kData:
      return "data";
    case ObjectClass::kPublicKey:
      return "public key";
    case ObjectClass::kPrivateKey:
      return "private key";
    case ObjectClass::kSecretKey:
      return "secret key";
  }
  return "other";
}

std::string TypeName(unsigned long type) {
  switch (static_cast<pkcs11::KeyType>(type)) {
    case pkcs11::KeyType::kRsa:
      return "RSA";
    case pkcs11::KeyType::kEc:
      return "EC";
    case pkcs11::KeyType::kGenericSecret:
      return "generic secret";
    case pkcs11::KeyType::kAes:
      return "AES";
    case pkcs11::KeyType::kEcEdwards:
      return "Edwards";
    case pkcs11::KeyType::kChaCha20:
      return "ChaCha20";
    case pkcs11::KeyType::kHkdf:
      return "HKDF";
  }
  return "other";
}

bool IsMasterLabel(std::string_view label) {
  const auto parts = ParseMasterLabel(label);
  return parts && FindClassNamed(parts->master_class) != nullptr;
}

TokenObject::Kind KindOf(const TokenObject& object) {
  if (object.label.starts_with(kProbeLabelPrefix)) return TokenObject::Kind::kProbe;
  if (object.label.starts_with(kResidentLabelPrefix)) {
    return object.object_class == "private key" ? TokenObject::Kind::kResidentKey
                                                : TokenObject::Kind::kForeign;
  }
  const bool ours = object.purpose == "epoch" || object.label.starts_with("coffer-");
  return ours ? TokenObject::Kind::kServers : TokenObject::Kind::kForeign;
}

Attributes TokenObjects() {
  Attributes attributes;
  attributes.Add(AttributeType::kToken, true);
  return attributes;
}

Attributes LabelTemplate(std::string_view label) {
  Attributes attributes;
  attributes.Add(AttributeType::kLabel, label);
  return attributes;
}

// An attribute that the token does not show stays empty.
TokenObject Describe(pkcs11::Session& session, pkcs11::ObjectHandle handle) {
  TokenObject object;
  const auto text = [&](AttributeType type) {
    const auto octets = session.GetBytes(handle, type);
    return octets ? *octets : Bytes{};
  };
  object.label = AsText(text(AttributeType::kLabel));
  const auto object_class = session.GetUlong(handle, AttributeType::kClass);
  object.object_class = object_class ? ClassName(*object_class) : "other";
  if (object.object_class == "data") {
    const Bytes application = text(AttributeType::kApplication);
    if (AsText(application) == kEpochApplication) object.purpose = "epoch";
    return object;
  }
  const auto type = session.GetUlong(handle, AttributeType::kKeyType);
  object.type = type ? TypeName(*type) : "";
  object.id_octets = text(AttributeType::kId);
  object.id = ToHex(object.id_octets);
  if (IsMasterLabel(object.label)) object.purpose = "master key";
  if (object.label == kMetaLabel) object.purpose = "row MACs";
  if (object.label == kAuditLabel) object.purpose = "audit checkpoints";
  if (object.label == kImportWrappingLabel || object.label == kImportDevLabel) {
    object.purpose = "opens imports";
  }
  if (object.label.starts_with(kResidentLabelPrefix)) object.purpose = "resident key";
  return object;
}

Result<TokenDescription> DescribeSlot(pkcs11::Module& module, const Result<pkcs11::SlotId>& slot) {
  if (!slot) return Fail(slot.error());
  COFFER_ASSIGN(const pkcs11::TokenInfo info, module.GetTokenInfo(*slot));
  COFFER_ASSIGN(const pkcs11::ModuleInfo library, module.Info());
  return DescriptionOf(info, library);
}

}  // namespace

TokenDescription DescriptionOf(const pkcs11::TokenInfo& info, const pkcs11::ModuleInfo& library) {
  TokenDescription description;
  description.serial = info.serial;
  description.model = info.model;
  description.manufacturer = info.manufacturer;
  description.firmware_version = info.firmware_version;
  description.library = library.library_description + " " + library.library_version;
  description.user_pin_initialized = info.user_pin_initialized;
  description.min_pin_octets = info.min_pin_octets;
  description.max_pin_octets = info.max_pin_octets;
  return description;
}

Result<TokenDescription> DescribeToken(const TokenLocation& location) {
  COFFER_ASSIGN(const auto module, LoadCopy(location));
  return DescribeSlot(*module, module->FindToken(location.label, location.serial));
}

Result<TokenDescription> DescribeFreeToken(const TokenLocation& location) {
  COFFER_ASSIGN(const auto module, LoadCopy(location));
  return DescribeSlot(*module, module->FindUninitialized());
}

struct TokenAdmin::Impl {
  TokenLocation location;
  std::unique_ptr<pkcs11::Module> module;
  pkcs11::SlotId slot = 0;
  std::optional<pkcs11::Session> session;  // after module: closed before it

  Result<bool> Exists(std::string_view label) {
    COFFER_ASSIGN(const auto found, session->Find(LabelTemplate(label)));
    return !found.empty();
  }
};

TokenAdmin::TokenAdmin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenAdmin::~TokenAdmin() = default;

Result<std::unique_ptr<TokenAdmin>> TokenAdmin::Open(const TokenLocation& location,
                                                     const SecretBytes& pin) {
  auto impl = std::make_unique<Impl>();
  impl->location = location;
  COFFER_ASSIGN(impl->module, LoadCopy(location));
  COFFER_ASSIGN(impl->slot, impl->module->FindToken(location.label, location.serial));
  COFFER_ASSIGN(const pkcs11::TokenInfo info, impl->module->GetTokenInfo(impl->slot));
  if (info.user_pin_locked) {
    return Fail(Code::kPinLocked,
                "the token's user PIN is locked: the security officer must reset it");
  }
  COFFER_ASSIGN(impl->session, impl->module->OpenSession(impl->slot));
  COFFER_TRY(impl->module->Login(*impl->session, pkcs11::UserType::kUser, pin));
  return std::unique_ptr<TokenAdmin>(new TokenAdmin(std::move(impl)));
}

Result<std::vector<TokenObject>> TokenAdmin::List() {
  COFFER_ASSIGN(const auto handles, impl_->session->Find(TokenObjects()));
  std::vector<TokenObject> objects;
  objects.reserve(handles.size());
  for (const pkcs11::ObjectHandle handle : handles) {
    objects.push_back(Describe(*impl_->session, handle));
    objects.back().kind = KindOf(objects.back());
  }
  std::ranges::sort(objects, {}, &TokenObject::label);
  return objects;
}

Result<bool> TokenAdmin::HasMasters() { return impl_->Exists(kMetaLabel); }

Result<std::string> TokenAdmin::RotateMaster(std::string_view master_class) {
  const MasterClass* const found = FindClassNamed(master_class);
  if (found == nullptr) {
    std::string names;
    for (const MasterClass& each : MasterClasses()) names.append(" ").append(each.name);
    return Fail(Code::kInvalid, "\"" + std::string(master_class) +
                                    "\" is no class of master keys; there are" + names);
  }
  int version = 1;
  while (true) {
    COFFER_ASSIGN(const bool exists, impl_->Exists(MasterLabel(MasterName(master_class, version))));
    if (!exists) break;
    ++version;
  }
  if (version == 1) {
    return Fail(Code::kNotFound, "token " + impl_->location.label + " has no " +
                                     MasterLabel(MasterName(master_class, 1)) +
                                     (found->first == FirstMaster::kAtFirstKey
                                          ? ": the server makes it with the first key that wants it"
                                          : ": run coffer hsm init first"));
  }
  const std::string label = MasterLabel(MasterName(master_class, version));
  COFFER_ASSIGN(const TokenTrial trial, TryToken(*impl_->module, impl_->slot));
  COFFER_ASSIGN(const TokenSettings profile, SettingsOf(trial));
  COFFER_TRY(ObjectMaker().Generate(*impl_->session, MechanismType::kAesKeyGen,
                                    MasterRecipe(*found, label, profile.key_wrap)));
  COFFER_TRY(SyncDirectory(impl_->location.objects_directory));
  return label;
}

Status TokenAdmin::Destroy(const TokenObject& object) {
  if (object.kind != TokenObject::Kind::kResidentKey && object.kind != TokenObject::Kind::kProbe) {
    return Fail(Code::kInvalid, "token object " + object.label + " is none that may be destroyed");
  }
  // All resident keys of a database have one label: without its id, one would stand for all.
  if (object.kind == TokenObject::Kind::kResidentKey && object.id_octets.empty()) {
    return Fail(Code::kInvalid, "token object " + object.label + " does not tell its id");
  }
  Attributes wanted = TokenObjects();
  wanted.Add(AttributeType::kLabel, object.label);
  if (!object.id_octets.empty()) wanted.Add(AttributeType::kId, ByteView(object.id_octets));
  COFFER_ASSIGN(const auto found, impl_->session->Find(wanted));
  if (found.empty()) {
    return Fail(Code::kNotFound, "token object " + object.label + " is not there any more");
  }
  for (const pkcs11::ObjectHandle handle : found) {
    COFFER_TRY(impl_->session->DestroyObject(handle));
  }
  return SyncDirectory(impl_->location.objects_directory);
}

Status TokenAdmin::ChangePin(const SecretBytes& from, const SecretBytes& to) {
  COFFER_TRY(impl_->module->ChangePin(*impl_->session, from, to));
  return SyncDirectory(impl_->location.objects_directory);
}

}  // namespace coffer::keyring
