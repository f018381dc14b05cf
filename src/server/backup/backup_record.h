#pragma once

#include <string>
#include <string_view>

#include "coffer/audit/broker.h"
#include "coffer/base/result.h"
#include "coffer/keyring/backup_manifest.h"

namespace coffer::server {

// The audit trail's entry of a backup; on the disk when it returns.
inline Status RecordBackup(audit::Broker& audit, std::string_view name,
                           const keyring::BackupManifest& manifest) {
  const std::string epoch = std::to_string(manifest.epoch);
  const std::string hash = ToHex(manifest.sha256);
  return audit.RecordEvent(
      {"backup-made", {{"name", name}, {"epoch", epoch}, {"sha256", hash}}, true});
}

}  // namespace coffer::server
