#include "server/console/families.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "coffer/keyring/token_admin.h"
#include "server/console/console_command.h"
#include "server/console/hsm_commands.h"
#include "server/console/stopped_server.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"
#include "server/token/secret_file.h"
#include "server/token/token_files.h"
#include "server/token/token_making.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

// Opens the token with the configured PIN and hands it to `use`.
Status WithToken(
    Console& console,
    const std::function<Status(keyring::TokenAdmin& token, const SecretBytes& pin)>& use) {
  SelectSoftHsm(console.config);
  return WithPin(console.config, [&](const SecretBytes& pin) -> Status {
    COFFER_ASSIGN(const auto token, console.watch.During([&] {
      return keyring::TokenAdmin::Open(console.config.token, pin);
    }));
    return use(*token, pin);
  });
}

Status ListObjects(Console& console) {
  return WithToken(console, [&](keyring::TokenAdmin& token, const SecretBytes&) -> Status {
    COFFER_ASSIGN(const auto objects, console.watch.During([&] { return token.List(); }));
    nlohmann::json list = nlohmann::json::array();
    if (!console.json) {
      std::printf("%-32s %-12s %-15s %-34s %s\n", "label", "class", "type", "id", "purpose");
    }
    for (const keyring::TokenObject& object : objects) {
      if (console.json) {
        list.push_back({{"label", object.label},
                        {"class", object.object_class},
                        {"type", object.type},
                        {"id", object.id},
                        {"purpose", object.purpose}});
      } else {
        std::printf("%-32s %-12s %-15s %-34s %s\n", object.label.c_str(),
                    object.object_class.c_str(), object.type.empty() ? "-" : object.type.c_str(),
                    object.id.empty() ? "-" : object.id.c_str(),
                    object.purpose.empty() ? "-" : object.purpose.c_str());
      }
    }
    using Handler = nlohmann::json::error_handler_t;
    if (console.json) std::printf("%s\n", list.dump(2, ' ', false, Handler::replace).c_str());
    return {};
  });
}

// Makes the master, with an entry in the audit trail before and after it: the outcome is known only
// afterwards.
Result<std::string> MakeNextMaster(keyring::TokenAdmin& token, const std::string& master_class,
                                   audit::Broker& audit) {
  COFFER_TRY(audit.RecordEvent({"master-rotation-started", {{"class", master_class}}, true}));
  auto label = token.RotateMaster(master_class);
  const std::string outcome = label ? "made " + *label : label.error().message;
  COFFER_TRY(audit.RecordEvent(
      {"master-rotation-ended", {{"class", master_class}, {"outcome", outcome}}, true}));
  return label;
}

Status RotateMaster(Console& console, const std::string& master_class) {
  const Config& config = console.config;
  COFFER_ASSIGN(const auto lock, LockDataDirectory(config, console.logger));
  return WithToken(console, [&](keyring::TokenAdmin& token, const SecretBytes& pin) -> Status {
    StoppedServer::Opening opening;
    opening.database = DatabaseFile(config);
    COFFER_ASSIGN(const auto server, console.watch.During([&] {
      return StoppedServer::Open(config, opening, pin, console.random, console.logger);
    }));
    COFFER_ASSIGN(const std::string label, console.watch.During([&] {
      return MakeNextMaster(token, master_class, server->Audit());
    }));
    if (console.json) {
      std::printf("%s\n", nlohmann::json{{"label", label}}.dump().c_str());
    } else {
      std::printf(
          "made %s: new versions are wrapped under it; the former one stays for those it "
          "wrapped\n",
          label.c_str());
    }
    return {};
  });
}

// The new PIN stands in FILE.next, on the disk, before the token knows it: whatever happens, one of
// the two files opens the token.
Status ChangePinFile(Console& console, keyring::TokenAdmin& token, const SecretBytes& pin) {
  const fs::path& file = console.config.pin_file;
  const fs::path next = file.string() + ".next";
  COFFER_ASSIGN(const auto interrupted, ReadSecretFile(next));
  if (interrupted) {
    return Fail(Code::kConflict,
                "an interrupted change left " + next.string() +
                    ": if the server starts remove it, else put it in the place of " +
                    file.string());
  }
  COFFER_ASSIGN(const auto description,
                console.watch.During([&] { return keyring::DescribeToken(console.config.token); }));
  const std::size_t longest = description.max_pin_octets;
  const SecretBytes fresh = RandomPin(console.random, longest == 0 ? 32 : longest);
  COFFER_TRY(WriteSecretFile(next, fresh));
  Status changed = console.watch.During([&] { return token.ChangePin(pin, fresh); });
  if (!changed) {
    std::error_code ignored;
    fs::remove(next, ignored);
    return changed;
  }
  std::error_code error;
  fs::rename(next, file, error);
  if (error) {
    return Fail(Code::kUnavailable, "the token has its new PIN, which is in " + next.string() +
                                        ", but that could not be renamed: " + error.message());
  }
  std::printf("the token has a new PIN of %zu digits, in %s\n", fresh.size(), file.c_str());
  return {};
}

Status ChangePin(Console& console) {
  COFFER_ASSIGN(const LockedDatabase locked, LockedDatabase::Open(console.config, console.logger));
  COFFER_TRY(WithToken(console, [&](keyring::TokenAdmin& token, const SecretBytes& pin) -> Status {
    if (!console.config.pin_file.empty()) return ChangePinFile(console, token, pin);
    COFFER_ASSIGN(const SecretBytes fresh, AskForNewPin("PIN"));
    COFFER_TRY(console.watch.During([&] { return token.ChangePin(pin, fresh); }));
    std::printf("the token has its new PIN; the credential must be made anew from it\n");
    return {};
  }));
  // The copy of the token's files must be made anew: the former one still opens with the former
  // PIN.
  return KeepTokenFiles(console.config.token.objects_directory, console.logger);
}

}  // namespace

int HsmCommand(const std::vector<std::string>& arguments) {
  const auto master_class = std::make_shared<std::string>();
  const auto doctor = std::make_shared<DoctorFlags>();
  const auto yes = std::make_shared<bool>(false);
  return RunConsoleCommand(
      "hsm", "the token behind a server",
      {{.name = "init",
        .help = "make the token's master keys and what else is missing",
        .run = InitHsm},
       {.name = "list", .help = "the token's objects", .run = ListObjects},
       {.name = "doctor",
        .help = "what the token does, found by doing it",
        .run = [=](Console& console) { return DoctorHsm(console, *doctor); },
        .declare =
            [=](CLI::App& app) {
              app.add_flag("--quick", doctor->quick, "every operation once, without speeds");
              app.add_flag("--token-objects", doctor->token_objects,
                           "make token objects where the token makes no session objects; they are "
                           "destroyed at once, but a kill leaves some for coffer hsm gc");
            }},
       {.name = "gc",
        .help = "list, and on your word destroy, token objects that no key of this database names",
        .run = [=](Console& console) { return CollectHsmGarbage(console, *yes); },
        .declare =
            [=](CLI::App& app) { app.add_flag("--yes", *yes, "destroy them without asking"); }},
       {.name = "change-pin", .help = "give the token another user PIN", .run = ChangePin},
       {.name = "rotate-master",
        .help = "make a class's next master key, for new versions",
        .run = [=](Console& console) { return RotateMaster(console, *master_class); },
        .declare =
            [=](CLI::App& app) {
              app.add_option("class", *master_class, "aes, hmac, rsa, ...")->required();
            }}},
      arguments);
}

}  // namespace coffer::server
