#include "server/console/hsm_commands.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "coffer/base/ids.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token_admin.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"
#include "server/token/token_files.h"
#include "server/token/token_making.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

struct Made {
  bool token = false;
  bool pin = false;
  bool so_pin = false;
};

// A database that knows keys must not be given a token that knows none of them. `why`: what the
// module says of the tokens that it has; may be empty.
Status RefuseALostToken(bool seen_before, const std::string& why) {
  if (!seen_before) return {};
  return Fail(Code::kTokenLost, "this database's master keys are not in the token" +
                                    (why.empty() ? "" : " (" + why + ")") +
                                    ": bring the right token back; new ones could not open a "
                                    "single key");
}

// SoftHSM needs the directory of its tokens to exist.
Status MakeTokenDirectory(const Config& config) {
  const fs::path& directory = config.token.objects_directory;
  std::error_code error;
  if (!IsSoftHsm(config) || directory.empty() || fs::create_directory(directory, error) || !error) {
    return {};
  }
  return Fail(Code::kInvalid,
              "failed to make the token directory " + directory.string() + ": " + error.message());
}

// The PIN of a token that has none yet, and the token where there is none.
Result<SecretBytes> MakeTokenAndPin(Console& console, bool seen_before, Made& made) {
  const Config& config = console.config;
  const auto found = console.watch.During([&] { return keyring::DescribeToken(config.token); });
  if (!found && !MeansAbsent(config, found.error())) return Fail(found.error());
  COFFER_TRY(RefuseALostToken(seen_before, found ? "" : found.error().message));
  if (!found && !IsSoftHsm(config)) {
    return Fail(Code::kNotFound,
                found.error().message +
                    ": initialise it with its vendor's tools, or correct token= in the "
                    "configuration, then run coffer hsm init again");
  }
  COFFER_TRY(console.watch.During([&]() -> Status {
    COFFER_ASSIGN(made.pin, MakePinFile(config, config.pin_file, console.random));
    COFFER_ASSIGN(made.so_pin, MakePinFile(config, config.so_pin_file, console.random));
    return {};
  }));
  COFFER_ASSIGN(NewPins pins, NewPins::Read(config));
  COFFER_TRY(console.watch.During([&] { return MakeToken(config, pins); }));
  made.token = true;
  return std::move(pins.pin);
}

// Makes what is missing and reads everything back as a start would; the objects.
Result<std::vector<keyring::TokenObject>> CompleteObjects(Console& console, const SecretBytes& pin,
                                                          const Id& database, bool seen_before) {
  const Config& config = console.config;
  {
    COFFER_ASSIGN(const auto token, keyring::TokenAdmin::Open(config.token, pin));
    COFFER_ASSIGN(const bool has_masters, token->HasMasters());
    if (!has_masters) COFFER_TRY(RefuseALostToken(seen_before, ""));
  }
  COFFER_TRY(keyring::CompleteToken(config.token, pin, database, console.logger));
  COFFER_TRY(keyring::OpenTokens(config.token, pin, 0, console.logger));
  COFFER_ASSIGN(const auto token, keyring::TokenAdmin::Open(config.token, pin));
  return token->List();
}

std::vector<std::string> BackupAdvice(const Config& config) {
  const std::string token_files = config.token.objects_directory.string();
  return {"the token: " + (token_files.empty() ? "by its vendor's means" : token_files),
          "the database: coffer operator backup writes a consistent copy of " +
              (config.data_directory / "coffer.db").string(),
          "the PINs: without them the token opens for nobody",
          "never all of them under one credential: token, PIN and database together are the keys"};
}

void Print(const Console& console, const keyring::TokenDescription& token, const Made& made,
           const std::vector<keyring::TokenObject>& objects) {
  const Config& config = console.config;
  if (console.json) {
    nlohmann::json labels = nlohmann::json::array();
    for (const auto& object : objects) labels.push_back(object.label);
    const nlohmann::json answer{{"token", config.token.label}, {"serial", token.serial},
                                {"model", token.model},        {"token_made", made.token},
                                {"objects", labels},           {"back_up", BackupAdvice(config)}};
    std::printf("%s\n", answer.dump(2).c_str());
    return;
  }
  std::printf("token %s, serial %s, %s: %s\n", config.token.label.c_str(), token.serial.c_str(),
              token.model.c_str(), made.token ? "made" : "found");
  if (made.pin) std::printf("made %s: 128 random bits\n", config.pin_file.c_str());
  if (made.so_pin) std::printf("made %s: 128 random bits\n", config.so_pin_file.c_str());
  std::printf("\nobjects, with all attributes read back:\n");
  for (const auto& object : objects) {
    if (!object.purpose.empty()) {
      std::printf("  %-32s %s\n", object.label.c_str(), object.purpose.c_str());
    }
  }
  std::printf("\nback up:\n");
  for (const std::string& line : BackupAdvice(config)) std::printf("  %s\n", line.c_str());
}

}  // namespace

// Every step is found done or is done again: a run goes on where any other ended, however it did.
Status InitHsm(Console& console) {
  const Config& config = console.config;
  SelectSoftHsm(config);
  COFFER_TRY(MakeDataDirectory(config));
  COFFER_TRY(MakeTokenDirectory(config));
  COFFER_ASSIGN(const LockedDatabase locked, LockedDatabase::Open(config, console.logger));
  COFFER_ASSIGN(const bool seen_before, keyring::HasState(*locked.database));
  COFFER_ASSIGN(const Id database,
                keyring::LoadOrCreateDatabaseId(*locked.database, console.random));
  Made made;
  std::vector<keyring::TokenObject> objects;
  const auto complete = [&](const SecretBytes& pin) -> Status {
    COFFER_ASSIGN(objects, console.watch.During([&] {
      return CompleteObjects(console, pin, database, seen_before);
    }));
    return {};
  };
  COFFER_ASSIGN(const bool usable, console.watch.During([&] { return IsTokenUsable(config); }));
  if (usable) {
    COFFER_TRY(WithPin(config, complete));
  } else {
    COFFER_ASSIGN(const SecretBytes pin, MakeTokenAndPin(console, seen_before, made));
    COFFER_TRY(complete(pin));
  }
  COFFER_ASSIGN(const keyring::TokenDescription token,
                console.watch.During([&] { return keyring::DescribeToken(config.token); }));
  COFFER_TRY(KeepTokenFiles(config.token.objects_directory, console.logger));
  Print(console, token, made, objects);
  return {};
}

}  // namespace coffer::server
