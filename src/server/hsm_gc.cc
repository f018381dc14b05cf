#include "server/hsm_gc.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "coffer/base/clock.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/orphans.h"
#include "coffer/keyring/token_admin.h"
#include "server/offline.h"
#include "server/pin_guard.h"

namespace coffer::server {
namespace {

using keyring::Orphans;
using keyring::TokenObject;

// Opens the keys as a start would, so that rows that were removed, changed or put back are refused
// here too: a row that somebody took away must not destroy a key.
Result<std::set<Bytes>> NamedObjects(Console& console, Offline& offline, const SecretBytes& pin,
                                     Id& database) {
  COFFER_ASSIGN(keyring::OpenedTokens opened,
                keyring::OpenTokens(console.config.token, pin, 0, console.logger));
  keyring::Token& token = *opened.custodian;
  const SystemClock clock;
  keyring::Custodian custodian(std::move(opened.custodian), keyring::Custodian::Options{}, clock,
                               console.logger);
  COFFER_ASSIGN(const auto keys, keyring::KeyRing::Open(*offline.database, custodian, token, {},
                                                        keyring::StartPolicy{}, console.random,
                                                        clock, console.logger));
  database = keys->DatabaseId();
  return keyring::NamedResidents(*offline.database, *keys);
}

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

// Only the word itself, on a terminal.
bool Confirmed(std::size_t count) {
  if (::isatty(STDIN_FILENO) != 1) return false;
  std::fprintf(stderr, "Destroy these %zu objects for good? Only yes is taken: ", count);
  std::array<char, 16> answer{};
  return std::fgets(answer.data(), answer.size(), stdin) != nullptr &&
         std::string_view(answer.data()) == "yes\n";
}

Status Destroy(Offline& offline, keyring::TokenAdmin& token, const Orphans& orphans) {
  for (const TokenObject& object : orphans.objects) {
    COFFER_TRY(token.Destroy(object));
    if (object.kind != TokenObject::Kind::kResidentKey) continue;
    COFFER_TRY(keyring::ForgetResident(*offline.database, object.id_octets));
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

Status CollectHsmGarbage(Console& console, bool yes) {
  COFFER_ASSIGN(Offline offline, Offline::Open(console.config, console.logger));
  SelectSoftHsm(console.config);
  return WithPin(console.config, [&](const SecretBytes& pin) -> Status {
    Id database;
    COFFER_ASSIGN(const auto named, NamedObjects(console, offline, pin, database));
    COFFER_ASSIGN(const auto token, keyring::TokenAdmin::Open(console.config.token, pin));
    COFFER_ASSIGN(const auto objects, token->List());
    const Orphans orphans = keyring::FindOrphans(objects, database, named);
    if (!console.json) PrintList(orphans);
    const bool some = !orphans.objects.empty();
    const bool destroy = some && (yes || (!console.json && Confirmed(orphans.objects.size())));
    if (destroy) COFFER_TRY(Destroy(offline, *token, orphans));
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
