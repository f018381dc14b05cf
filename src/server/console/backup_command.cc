#include "server/console/operator_commands.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "coffer/base/progress_line.h"
#include "coffer/keyring/token_setup.h"
#include "server/backup/backup_file.h"
#include "server/backup/backup_writer.h"
#include "server/console/restore.h"
#include "server/console/stopped_server.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct BackupFlags {
  std::string file;
  bool offline = false;
  bool force = false;
  bool without_token = false;
  std::int64_t accept_rollback = -1;
};

// `more`: members that are not the manifest's.
void Print(const Console& console, const keyring::BackupManifest& manifest, const json& more) {
  json facts{{"database", manifest.database.ToUuid()},
             {"epoch", manifest.epoch},
             {"keys", manifest.keys},
             {"made", Rfc3339(manifest.made)},
             {"octets", manifest.octets},
             {"schema", manifest.schema},
             {"sha256", ToHex(manifest.sha256)},
             {"token_serial", manifest.token_serial}};
  facts.update(more);
  if (console.json) {
    std::printf("%s\n",
                facts.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  for (const auto& [name, value] : facts.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    std::printf("%-14s %s\n", name.c_str(), text.c_str());
  }
}

Status BackUpStopped(Console& console, const BackupFlags& flags) {
  const Config& config = console.config;
  SelectSoftHsm(config);
  COFFER_ASSIGN(const auto lock, LockDataDirectory(config, console.logger));
  StoppedServer::Opening opening;
  opening.database = DatabaseFile(config);
  keyring::BackupManifest made;
  COFFER_TRY(WithPin(config, [&](const SecretBytes& pin) -> Status {
    COFFER_ASSIGN(const auto server,
                  StoppedServer::Open(config, opening, pin, console.random, console.logger));
    const BackupSource source{.database = server->Database(),
                              .custodian = server->Custodian(),
                              .token_serial = server->TokenSerial(),
                              .clock = server->GetClock()};
    ProgressLine line("copying the database");
    BackupOrder order;
    order.file = fs::absolute(flags.file);
    order.overwrite = flags.force;
    order.progress = [&](std::int64_t done, std::int64_t total) {
      line.Show(done, total);
      return true;
    };
    order.record = [&](const keyring::BackupManifest& manifest) {
      return RecordBackup(server->Audit(), order.file.filename().string(), manifest);
    };
    COFFER_ASSIGN(made, WriteBackup(source, order));
    return {};
  }));
  Print(console, made, json{{"file", flags.file}});
  return {};
}

Status CheckMac(const Config& config, const BackupReader& backup, Logger& logger) {
  SelectSoftHsm(config);
  return WithPin(config, [&](const SecretBytes& pin) -> Status {
    COFFER_ASSIGN(const auto opened, keyring::OpenTokens(config.token, pin, 0, logger));
    return keyring::VerifyManifest(*opened.custodian, backup.Manifest(), backup.Encoded(),
                                   backup.Mac());
  });
}

Status VerifyBackup(Console& console, const BackupFlags& flags) {
  COFFER_ASSIGN(const BackupReader backup, BackupReader::Open(flags.file));
  if (!flags.without_token) COFFER_TRY(CheckMac(console.config, backup, console.logger));
  {
    ProgressLine line("reading the backup");
    COFFER_TRY(
        backup.Check([&](std::int64_t done, std::int64_t total) { line.Show(done, total); }));
  }
  Print(console, backup.Manifest(),
        json{{"intact", true}, {"mac", flags.without_token ? "not checked" : "the token's"}});
  if (flags.without_token) {
    std::fputs(
        "the file is whole, but whoever can write it could have made it so: only the token knows "
        "whether\nits server wrote it, and whether its keys can be opened\n",
        stderr);
  }
  return {};
}

RestoreOrder OrderOf(const BackupFlags& flags) {
  RestoreOrder order;
  order.file = flags.file;
  if (flags.accept_rollback >= 0) {
    order.accept_rollback = static_cast<std::uint64_t>(flags.accept_rollback);
  }
  return order;
}

void DeclareFile(CLI::App& app, BackupFlags& flags) {
  app.add_option("FILE", flags.file, "the backup")->required();
}

}  // namespace

std::vector<ConsoleCommand> BackupCommands() {
  const auto flags = std::make_shared<BackupFlags>();
  return {{.name = "backup",
           .help = "with -offline: back up a stopped server; without: ask the running one",
           .run = [=](Console& console) { return BackUpStopped(console, *flags); },
           .declare =
               [=](CLI::App& app) {
                 DeclareFile(app, *flags);
                 app.add_flag("--offline", flags->offline, "the server is stopped")->required();
                 app.add_flag("--force", flags->force, "overwrite a backup of this name");
               }},
          {.name = "restore",
           .help = "put a backup's database in the place of the server's",
           .run = [=](Console& console) { return Restore(console, OrderOf(*flags)); },
           .declare =
               [=](CLI::App& app) {
                 DeclareFile(app, *flags);
                 app.add_option("--accept-rollback", flags->accept_rollback,
                                "the backup's epoch, where it is older than the token")
                     ->check(CLI::NonNegativeNumber);
               }},
          {.name = "verify-backup",
           .help = "say whether a backup is whole and this token's",
           .run = [=](Console& console) { return VerifyBackup(console, *flags); },
           .declare =
               [=](CLI::App& app) {
                 DeclareFile(app, *flags);
                 app.add_flag("--without-token", flags->without_token,
                              "only read the file; needs no configuration");
               },
           .needs_no_config = [=] { return flags->without_token; }}};
}

}  // namespace coffer::server
