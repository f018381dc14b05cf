#include "server/hsm_init.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "coffer/base/ids.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token_admin.h"
#include "server/offline.h"
#include "server/pin_guard.h"
#include "server/secret_file.h"
#include "server/token_files.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

// 128 random bits, where the file is not there.
Result<bool> MakePinFile(const fs::path& file, Random& random) {
  if (file.empty()) return false;
  COFFER_ASSIGN(const auto existing, ReadSecretFile(file));
  if (existing) return false;
  COFFER_TRY(WriteSecretFile(file, RandomPin(random, 32)));
  return true;
}

bool IsSoftHsm(const Config& config) {
  return config.token.module.filename().string().find("softhsm") != std::string::npos;
}

// A database that knows keys must not be given a token that knows none of them.
Status RefuseALostToken(bool seen_before) {
  if (!seen_before) return {};
  return Fail(Code::kTokenLost,
              "this database's master keys are not in the token: bring the right token back; new "
              "ones could not open a single key");
}

struct Made {
  bool token = false;
  bool pin = false;
  bool so_pin = false;
};

Status MakeToken(Console& console, const Id& database, Made& made) {
  const Config& config = console.config;
  if (!IsSoftHsm(config)) {
    return Fail(Code::kNotFound, "no token labelled \"" + config.token.label +
                                     "\": initialise it with its vendor's tools, then run coffer "
                                     "hsm init again");
  }
  COFFER_ASSIGN(made.pin, MakePinFile(config.pin_file, console.random));
  COFFER_ASSIGN(made.so_pin, MakePinFile(config.so_pin_file, console.random));
  COFFER_ASSIGN(const PinSource so_source,
                PinSource::Find(config.so_pin_file, kSoPinCredential, "SO PIN"));
  COFFER_ASSIGN(const SecretBytes so_pin, so_source.Read());
  made.token = true;
  return WithPin(config, [&](const SecretBytes& pin) {
    return console.watch.During([&] {
      return keyring::InitializeToken(config.token, so_pin, pin, database, console.logger);
    });
  });
}

Status CompleteToken(Console& console, const Id& database, bool seen_before) {
  const Config& config = console.config;
  const auto complete = [&](const SecretBytes& pin) -> Status {
    {
      COFFER_ASSIGN(const auto token, keyring::TokenAdmin::Open(config.token, pin));
      COFFER_ASSIGN(const bool has_masters, token->HasMasters());
      if (!has_masters) COFFER_TRY(RefuseALostToken(seen_before));
    }
    return keyring::InitializeToken(config.token, SecretBytes(), pin, database, console.logger);
  };
  return WithPin(config, [&](const SecretBytes& pin) {
    return console.watch.During([&] { return complete(pin); });
  });
}

// Reads everything back as a start would, and lists it.
Result<std::vector<keyring::TokenObject>> ReadBack(Console& console) {
  std::vector<keyring::TokenObject> objects;
  const auto read = [&](const SecretBytes& pin) -> Status {
    COFFER_TRY(keyring::OpenTokens(console.config.token, pin, 0, console.logger));
    COFFER_ASSIGN(const auto token, keyring::TokenAdmin::Open(console.config.token, pin));
    COFFER_ASSIGN(objects, token->List());
    return {};
  };
  COFFER_TRY(WithPin(console.config, [&](const SecretBytes& pin) {
    return console.watch.During([&] { return read(pin); });
  }));
  return objects;
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

SecretBytes RandomPin(Random& random, std::size_t digits) {
  std::array<std::uint8_t, 16> octets{};
  random.Fill(octets);
  std::string text = ToHex(octets).substr(0, digits);
  SecretBytes pin = SecretBytes::CopyOf(AsBytes(text));
  SecureWipe(octets.data(), octets.size());
  SecureWipe(text.data(), text.size());
  return pin;
}

Status InitHsm(Console& console) {
  const Config& config = console.config;
  SelectSoftHsm(config);
  COFFER_TRY(MakeDataDirectory(config));
  COFFER_ASSIGN(const Offline offline, Offline::Open(config, console.logger));
  COFFER_ASSIGN(const bool seen_before, keyring::HasState(*offline.database));
  COFFER_ASSIGN(const Id database,
                keyring::LoadOrCreateDatabaseId(*offline.database, console.random));
  const auto describe = [&] {
    return console.watch.During([&] { return keyring::DescribeToken(config.token); });
  };
  COFFER_ASSIGN(auto token, describe());
  Made made;
  if (token) {
    COFFER_TRY(CompleteToken(console, database, seen_before));
  } else {
    COFFER_TRY(RefuseALostToken(seen_before));
    COFFER_TRY(MakeToken(console, database, made));
    COFFER_ASSIGN(token, describe());
    if (!token) return Fail(Code::kTokenFailed, "the token that was made is not found again");
  }
  COFFER_ASSIGN(const auto objects, ReadBack(console));
  COFFER_TRY(KeepTokenFiles(config.token.objects_directory, console.logger));
  Print(console, *token, made, objects);
  return {};
}

}  // namespace coffer::server
