#include "server/console/operator_commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "coffer/audit/stored_devices.h"
#include "server/console/stopped_server.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"

namespace coffer::server {
namespace {

using Names = std::vector<std::string>;

// Removes the devices from the database. This comes after the PIN is known to be right and before
// the devices are opened, because those that stay must take the record.
Status Forget(storage::Database& database, const Names& names,
              std::vector<audit::DeviceSettings>& removed) {
  for (std::string name : names) {
    if (!name.ends_with('/')) name += '/';
    COFFER_ASSIGN(auto settings, audit::ForgetDevice(database, name));
    removed.push_back(std::move(settings));
  }
  return {};
}

void Print(const std::vector<audit::DeviceSettings>& removed, bool as_json) {
  for (const audit::DeviceSettings& device : removed) {
    if (as_json) {
      const nlohmann::json line{{"device", device.path}, {"file", audit::TargetName(device)}};
      std::printf("%s\n",
                  line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    } else {
      const bool file = device.type == audit::DeviceType::kFile;
      std::printf(file ? "Removed the audit device %s; its file %s is left.\n"
                       : "Removed the audit device %s, which wrote to %s.\n",
                  device.path.c_str(), audit::TargetName(device).c_str());
    }
  }
}

Status Remove(Console& console, const Names& names) {
  const Config& config = console.config;
  SelectSoftHsm(config);
  COFFER_ASSIGN(const auto lock, LockDataDirectory(config, console.logger));
  std::vector<audit::DeviceSettings> removed;
  StoppedServer::Opening opening;
  opening.database = DatabaseFile(config);
  opening.keys_check = [&](storage::Database& database, keyring::KeyRing&) {
    return Forget(database, names, removed);
  };
  const Status done = WithPin(config, [&](const SecretBytes& pin) -> Status {
    COFFER_ASSIGN(const auto server, console.watch.During([&] {
      return StoppedServer::Open(config, opening, pin, console.random, console.logger);
    }));
    for (const audit::DeviceSettings& device : removed) {
      const std::string file = audit::TargetName(device);
      COFFER_TRY(server->Audit().RecordEvent(
          {"audit-device-removed", {{"device", device.path}, {"file", file}}, true}));
    }
    return {};
  });
  Print(removed, console.json);  // also where another device kept it from being recorded
  return done;
}

}  // namespace

std::vector<ConsoleCommand> AuditDeviceCommands() {
  const auto names = std::make_shared<Names>();
  return {{.name = "remove-audit-device",
           .help =
               "take away audit devices that were enabled through the API and keep the server from "
               "answering",
           .run = [=](Console& console) { return Remove(console, *names); },
           .declare =
               [=](CLI::App& app) {
                 app.add_option("NAME", *names, "as coffer audit list shows it")->required();
               }}};
}

}  // namespace coffer::server
