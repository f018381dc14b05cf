#include "server/console/restore.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "coffer/base/progress_line.h"
#include "coffer/storage/database_replacement.h"
#include "server/backup/backup_file.h"
#include "server/backup/backup_writer.h"
#include "server/console/stopped_server.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;
using Unusable = std::vector<keyring::UnusableVersion>;

// The database of the backup, made ready beside the server's own: nothing of that is touched yet,
// nor is the token.
Result<Unusable> PrepareStaged(Console& console, const RestoreOrder& order,
                               const BackupReader& backup, const fs::path& staged,
                               const SecretBytes& pin) {
  StoppedServer::Opening opening;
  opening.database = staged;
  opening.policy.restoring = true;
  opening.policy.accept_rollback_to = order.accept_rollback;
  opening.token_check = [&](keyring::Token& token) {
    return keyring::VerifyManifest(token, backup.Manifest(), backup.Encoded(), backup.Mac());
  };
  COFFER_ASSIGN(const auto server,
                StoppedServer::Open(console.config, opening, pin, console.random, console.logger));
  COFFER_ASSIGN(Unusable unusable, server->Keys().FindUnusable());
  const std::string epoch = std::to_string(backup.Manifest().epoch);
  const std::string hash = ToHex(backup.Manifest().sha256);
  COFFER_TRY(server->Audit().RecordEvent(
      {"restore-started", {{"backup_epoch", epoch}, {"backup_sha256", hash}}, true}));
  return unusable;
}

// The first start of the restored database: the token follows its epoch, and the former one is
// older from now on.
Status StartOnce(Console& console, const SecretBytes& pin) {
  StoppedServer::Opening opening;
  opening.database = DatabaseFile(console.config);
  const auto server =
      StoppedServer::Open(console.config, opening, pin, console.random, console.logger);
  const Status recorded = server ? (*server)->Audit().RecordEvent({"restore-ended", {}, true})
                                 : Status(Fail(server.error()));
  if (recorded) return {};
  return Fail(recorded.error().code,
              "the restored database is in its place, but its first start failed: " +
                  recorded.error().message,
              recorded.error().cause);
}

Result<Unusable> PutInPlace(Console& console, const RestoreOrder& order, const BackupReader& backup,
                            const fs::path& staged) {
  Unusable unusable;
  COFFER_TRY(WithPin(console.config, [&](const SecretBytes& pin) -> Status {
    COFFER_ASSIGN(unusable, PrepareStaged(console, order, backup, staged, pin));
    COFFER_TRY(storage::ReplaceDatabase(DatabaseFile(console.config), staged));
    return StartOnce(console, pin);
  }));
  return unusable;
}

void PrintJson(const keyring::BackupManifest& manifest, const Unusable& unusable) {
  nlohmann::json lost = nlohmann::json::array();
  for (const keyring::UnusableVersion& version : unusable) {
    lost.push_back({{"mount_id", version.mount.ToUuid()},
                    {"key", version.key},
                    {"version", version.version},
                    {"why", version.why}});
  }
  const nlohmann::json out{{"database", manifest.database.ToUuid()},
                           {"backup_epoch", manifest.epoch},
                           {"made", Rfc3339(manifest.made)},
                           {"keys", manifest.keys},
                           {"unusable", std::move(lost)}};
  using Handler = nlohmann::json::error_handler_t;
  std::printf("%s\n", out.dump(2, ' ', false, Handler::replace).c_str());
}

void Print(const Console& console, const keyring::BackupManifest& manifest,
           const Unusable& unusable) {
  if (console.json) return PrintJson(manifest, unusable);
  std::printf("restored database %s: %lld keys, as of %s (epoch %llu)\n\n",
              manifest.database.ToUuid().c_str(), static_cast<long long>(manifest.keys),
              Rfc3339(manifest.made).c_str(), static_cast<unsigned long long>(manifest.epoch));
  std::printf(
      "  every key is rotated before it encrypts again: how often the versions of the backup\n"
      "  encrypted since is not known, so they only decrypt from now on\n"
      "  keys, versions and settings made after the backup are lost, and what was encrypted by\n"
      "  them stays closed; mounts, API tokens and audit devices are those of the backup\n");
  const fs::path former = DatabaseFile(console.config).string() + ".replaced";
  std::error_code ignored;
  if (fs::exists(former, ignored)) {
    std::printf("  the former database is %s: remove it when nothing more is wanted of it\n",
                former.c_str());
  }
  if (unusable.empty()) return;
  std::printf("\nthe token cannot use these, so what they encrypted is lost:\n");
  for (const keyring::UnusableVersion& version : unusable) {
    const std::string which =
        version.version == 0 ? "" : " version " + std::to_string(version.version);
    std::printf("  mount %s key %s%s: %s\n", version.mount.ToUuid().c_str(), version.key.c_str(),
                which.c_str(), version.why.c_str());
  }
}

}  // namespace

Status Restore(Console& console, const RestoreOrder& order) {
  const Config& config = console.config;
  COFFER_ASSIGN(const BackupReader backup, BackupReader::Open(order.file));
  SelectSoftHsm(config);
  COFFER_TRY(MakeDataDirectory(config));
  COFFER_ASSIGN(const auto lock, LockDataDirectory(config, console.logger));
  COFFER_TRY(storage::CheckReplaceable(DatabaseFile(config)));
  const fs::path staged = DatabaseFile(config).string() + ".staged";
  storage::RemoveDatabaseFiles(staged);  // of a restore that was cut off
  {
    ProgressLine line("reading the backup");
    COFFER_TRY(backup.ExtractTo(
        staged, [&](std::int64_t done, std::int64_t total) { line.Show(done, total); }));
  }
  auto unusable = PutInPlace(console, order, backup, staged);
  if (!unusable) {
    storage::RemoveDatabaseFiles(staged);
    return Fail(std::move(unusable).error());
  }
  Print(console, backup.Manifest(), *unusable);
  return {};
}

}  // namespace coffer::server
