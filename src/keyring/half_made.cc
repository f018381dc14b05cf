#include "keyring/half_made.h"

#include <array>
#include <string>
#include <vector>

#include "keyring/audit_key.h"
#include "keyring/key_recipes.h"
#include "keyring/object_maker.h"

namespace coffer::keyring {
namespace {

using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;
using pkcs11::ObjectHandle;
using pkcs11::Session;

constexpr std::size_t kMacOctets = 32;
constexpr std::size_t kSignatureOctets = 64;

Result<std::vector<ObjectHandle>> Find(Session& session, ObjectClass object_class,
                                       std::string_view label) {
  pkcs11::Attributes wanted;
  wanted.Add(AttributeType::kClass, object_class)
      .Add(AttributeType::kToken, true)
      .Add(AttributeType::kLabel, label);
  return session.Find(wanted);
}

// False, too, if the token does not show the attribute.
bool WasGenerated(Session& session, ObjectHandle object) {
  const auto local = session.GetBool(object, AttributeType::kLocal);
  return local && *local;
}

bool Signs(Session& session, MechanismType mechanism, ObjectHandle key) {
  const std::array<std::uint8_t, kMacOctets> data{};
  std::array<std::uint8_t, kSignatureOctets> out{};
  return session.Sign(mechanism, key, data, out).has_value();
}

bool Wraps(Session& session, const TokenSettings& profile, ObjectHandle master, ObjectHandle key) {
  return session.WrapKey(profile.key_wrap, master, key).has_value();
}

Status Remove(Session& session, ObjectHandle object, const std::string& label, Logger& logger) {
  COFFER_TRY(session.DestroyObject(object));
  logger.Log(LogLevel::kWarn, "keyring", "removed what a killed process had half made",
             {{"label", label}});
  return {};
}

Status RemoveMasters(Session& session, const TokenSettings& profile,
                     const MasterClass& master_class, ObjectHandle key, Logger& logger) {
  for (int version = 1;; ++version) {
    const std::string label = MasterLabel(MasterName(master_class.name, version));
    COFFER_ASSIGN(const auto found, Find(session, ObjectClass::kSecretKey, label));
    if (found.empty()) return {};
    for (const ObjectHandle master : found) {
      if (WasGenerated(session, master) || Wraps(session, profile, master, key)) continue;
      COFFER_TRY(Remove(session, master, label, logger));
    }
  }
}

}  // namespace

Status RemoveHalfMade(Session& session, const TokenSettings& profile, Logger& logger) {
  COFFER_ASSIGN(const MasterClass* const aes, FindClass(KeyKind::kAes));
  COFFER_ASSIGN(const ObjectHandle key, ObjectMaker().Generate(session, MechanismType::kAesKeyGen,
                                                               NewSecretRecipe(*aes, kMacOctets)));
  Status done;
  for (const MasterClass& master_class : MasterClasses()) {
    if (done) done = RemoveMasters(session, profile, master_class, key, logger);
  }
  static_cast<void>(session.DestroyObject(key));
  COFFER_TRY(done);
  COFFER_ASSIGN(const auto metas, Find(session, ObjectClass::kSecretKey, kMetaLabel));
  for (const ObjectHandle meta : metas) {
    if (WasGenerated(session, meta) || Signs(session, MechanismType::kSha256Hmac, meta)) continue;
    COFFER_TRY(Remove(session, meta, std::string(kMetaLabel), logger));
  }
  COFFER_ASSIGN(const auto audit, Find(session, ObjectClass::kPrivateKey, kAuditLabel));
  for (const ObjectHandle half : audit) {
    if (WasGenerated(session, half) || Signs(session, MechanismType::kEcdsa, half)) continue;
    COFFER_TRY(Remove(session, half, std::string(kAuditLabel), logger));
  }
  return {};
}

}  // namespace coffer::keyring
