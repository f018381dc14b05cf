#include "server/console/hsm_commands.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "coffer/keyring/orphans.h"
#include "coffer/keyring/token_admin.h"
#include "server/console/stopped_server.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"

namespace coffer::server {
namespace {

using keyring::Orphans;
using keyring::TokenObject;

void PrintList(const Orphans& orphans) {
  for (const TokenObject& object : orphans.objects) {
    std::printf("%-46s %-12s %-15s %s\n", object.label.c_str(), object.object_class.c_str(),
                object.type.empty() ? "-" : object.type.c_str(),
                object.id.empty() ? "-" : object.id.c_str());
  }
  if (orphans.of_other_databases > 0) {
    std::printf("%zu objects of other databases are left alone\n", orphans.of_other_databases);
  }
}

// Asks on the terminal; only the word itself confirms.
bool Confirmed(std::size_t count) {
  if (::isatty(STDIN_FILENO) != 1) return false;
  std::fprintf(stderr, "Destroy these %zu objects for good? Only yes is taken: ", count);
  std::array<char, 16> answer{};
  return std::fgets(answer.data(), answer.size(), stdin) != nullptr &&
         std::string_view(answer.data()) == "yes\n";
}

// Each object is in the audit trail before it is destroyed.
Status Destroy(StoppedServer& server, keyring::TokenAdmin& token, const Orphans& orphans) {
  for (const TokenObject& object : orphans.objects) {
    COFFER_TRY(server.Audit().RecordEvent(
        {"token-object-destroyed", {{"label", object.label}, {"id", object.id}}, true}));
    COFFER_TRY(token.Destroy(object));
    if (object.kind != TokenObject::Kind::kResidentKey) continue;
    COFFER_TRY(keyring::ForgetResident(server.Database(), object.id_octets));
  }
  return {};
}

void PrintJson(const Orphans& orphans, bool destroyed) {
  nlohmann::json list = nlohmann::json::array();
  for (const TokenObject& object : orphans.objects) {
    list.push_back({{"label", object.label}, {"class", object.object_class}, {"id", object.id}});
  }
  const nlohmann::json answer{{"objects", list},
                              {"of_other_databases", orphans.of_other_databases},
                              {"destroyed", destroyed}};
  using Handler = nlohmann::json::error_handler_t;
  std::printf("%s\n", answer.dump(2, ' ', false, Handler::replace).c_str());
}

}  // namespace

// Opens the keys as a start would, so that rows that were removed, changed or put back are refused
// here too: a row that somebody took away must not destroy a key.
Status CollectHsmGarbage(Console& console, bool yes) {
  const Config& config = console.config;
  COFFER_ASSIGN(const auto lock, LockDataDirectory(config, console.logger));
  SelectSoftHsm(config);
  StoppedServer::Opening opening;
  opening.database = DatabaseFile(config);
  std::set<Bytes> named;
  opening.keys_check = [&](storage::Database&, keyring::KeyRing& keys) -> Status {
    COFFER_ASSIGN(named, keys.NamedResidents());
    return {};
  };
  return WithPin(config, [&](const SecretBytes& pin) -> Status {
    COFFER_ASSIGN(const auto server, console.watch.During([&] {
      return StoppedServer::Open(config, opening, pin, console.random, console.logger);
    }));
    COFFER_ASSIGN(const auto token, console.watch.During([&] {
      return keyring::TokenAdmin::Open(config.token, pin);
    }));
    COFFER_ASSIGN(const auto objects, console.watch.During([&] { return token->List(); }));
    const Orphans orphans = keyring::FindOrphans(objects, server->Keys().DatabaseId(), named);
    if (!console.json) PrintList(orphans);
    const bool some = !orphans.objects.empty();
    const bool destroy = some && (yes || (!console.json && Confirmed(orphans.objects.size())));
    if (destroy) {
      COFFER_TRY(console.watch.During([&] { return Destroy(*server, *token, orphans); }));
    }
    if (console.json) {
      PrintJson(orphans, destroy);
    } else if (!some) {
      std::printf("no object of this database is without a key\n");
    } else if (destroy) {
      std::printf("destroyed %zu objects\n", orphans.objects.size());
    } else {
      std::printf("nothing was destroyed; -yes destroys them\n");
    }
    return {};
  });
}

}  // namespace coffer::server
