#include "coffer/keyring/token_setup.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "coffer/pkcs11/module.h"
#include "keyring/audit_key.h"
#include "keyring/half_made.h"
#include "keyring/key_recipes.h"
#include "keyring/module_copy.h"
#include "keyring/object_maker.h"
#include "keyring/pkcs11_token.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::Module;
using pkcs11::Session;

Result<bool> Exists(Session& session, AttributeType type, std::string_view value) {
  Attributes wanted;
  wanted.Add(type, value);
  COFFER_ASSIGN(const std::vector<pkcs11::ObjectHandle> found, session.Find(wanted));
  return !found.empty();
}

Status MakeObjects(Session& session, const TokenSettings& profile, const Id& database,
                   Logger& logger) {
  ObjectMaker maker;
  for (const MasterClass& master_class : MasterClasses()) {
    if (master_class.first == FirstMaster::kAtFirstKey) continue;
    const std::string label = MasterLabel(MasterName(master_class.name, 1));
    COFFER_ASSIGN(const bool exists, Exists(session, AttributeType::kLabel, label));
    if (exists) continue;
    COFFER_TRY(maker.Generate(session, MechanismType::kAesKeyGen,
                              MasterRecipe(master_class, label, profile.key_wrap)));
    logger.Log(LogLevel::kInfo, "keyring", "made master key", {{"label", label}});
  }
  COFFER_ASSIGN(const bool meta_exists, Exists(session, AttributeType::kLabel, kMetaLabel));
  if (!meta_exists) {
    COFFER_TRY(maker.Generate(session, MechanismType::kGenericSecretKeyGen, MetaRecipe()));
  }
  if (const auto audit_key = FindAuditKey(session); !audit_key) {
    if (audit_key.error().code != Code::kNotFound) return Fail(audit_key.error());
    COFFER_TRY(MakeAuditKey(session));
  }
  COFFER_ASSIGN(const bool epoch_exists,
                Exists(session, AttributeType::kApplication, kEpochApplication));
  if (!epoch_exists) {
    COFFER_TRY(maker.Create(session, EpochRecipe({.database = database, .value = 0})));
  }
  return {};
}

// Loads modules, which is a call into each before there is an instance to be watched.
class Loader {
 public:
  explicit Loader(const TokenLocation& location) : location_(location) {}
  Result<std::unique_ptr<Module>> Load() {
    clock_->Begin(std::chrono::steady_clock::now());
    auto module = LoadCopy(location_);
    clock_->End();
    return module;
  }
  std::shared_ptr<const WorkClock> Clock() const { return clock_; }

 private:
  const TokenLocation& location_;
  const std::shared_ptr<WorkClock> clock_ = std::make_shared<WorkClock>();
};

constexpr LiteralText kCall = "a call into the token";

}  // namespace

Result<std::unique_ptr<Module>> LoadCopy(const TokenLocation& location) {
  if (location.copies_directory.empty()) {
    return Module::Load(location.module, pkcs11::Threading::kOsLocking, {},
                        location.module_arguments);
  }
  // The dynamic loader knows libraries by their path: a name used twice would be the same instance.
  static std::atomic<std::uint64_t> count{0};
  const std::string name =
      "instance-" + std::to_string(::getpid()) + "-" + std::to_string(count.fetch_add(1)) + ".so";
  return Module::Load(location.module, pkcs11::Threading::kSingle, location.copies_directory / name,
                      location.module_arguments);
}

Result<OpenedTokens> OpenTokens(const TokenLocation& location, const SecretBytes& pin,
                                std::size_t workers, Logger& logger, StallWatch* watch) {
  const auto login = std::make_shared<Pkcs11Token::Login>();
  login->pin = SecretBytes::CopyOf(pin.Reveal());
  OpenedTokens opened;
  Loader loader(location);
  if (watch != nullptr) {
    watch->Add({"loading the module", kCall, [clock = loader.Clock()] { return clock->Since(); }});
  }
  for (std::size_t index = 0; index <= workers; ++index) {
    COFFER_ASSIGN(auto module, loader.Load());
    if (watch != nullptr) {
      StallWatch::Subject subject{"custodian", kCall, module->Calls()};
      if (index > 0) {
        subject.worker = index - 1;
        subject.name = "worker " + std::to_string(index - 1);
      }
      watch->Add(std::move(subject));
    }
    COFFER_ASSIGN(auto token, Pkcs11Token::Open(std::move(module), location, login));
    opened.serial = token->Serial();
    if (index == 0) {
      opened.custodian = std::move(token);
    } else {
      opened.workers.push_back(std::move(token));
    }
  }
  logger.Log(LogLevel::kInfo, "keyring", "token opened",
             {{"label", location.label},
              {"serial", opened.serial},
              {"instances", static_cast<std::int64_t>(workers + 1)}});
  return opened;
}

Status MakeToken(const TokenLocation& location, const SecretBytes& so_pin,
                 const SecretBytes& user_pin) {
  COFFER_ASSIGN(const auto module, LoadCopy(location));
  const auto slot = module->FindToken(location.label, location.serial);
  if (slot) {
    COFFER_TRY(module->InitUserPin(*slot, so_pin, user_pin));
  } else {
    if (slot.error().code == Code::kConflict) return Fail(slot.error());
    COFFER_ASSIGN(const pkcs11::SlotId empty, module->FindUninitialized());
    COFFER_TRY(module->InitToken(empty, so_pin, location.label, user_pin));
  }
  return SyncDirectory(location.objects_directory);
}

Status CompleteToken(const TokenLocation& location, const SecretBytes& pin, const Id& database,
                     Logger& logger) {
  COFFER_ASSIGN(const auto module, LoadCopy(location));
  COFFER_ASSIGN(const pkcs11::SlotId slot, module->FindToken(location.label, location.serial));
  {
    COFFER_ASSIGN(Session session, module->OpenSession(slot));
    COFFER_TRY(module->Login(session, pkcs11::UserType::kUser, pin));
    // A token that could not serve gets no keys.
    COFFER_ASSIGN(const TokenTrial trial, TryToken(*module, slot));
    COFFER_ASSIGN(const TokenSettings profile, SettingsOf(trial));
    COFFER_TRY(RemoveHalfMade(session, profile, logger));
    COFFER_TRY(MakeObjects(session, profile, database, logger));
  }
  return SyncDirectory(location.objects_directory);
}

}  // namespace coffer::keyring
