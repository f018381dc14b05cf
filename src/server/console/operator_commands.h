#pragma once

#include <vector>

#include "server/console/console_command.h"

namespace coffer::server {

// remove-audit-device of `coffer operator`.
std::vector<ConsoleCommand> AuditDeviceCommands();
// backup -offline, restore, verify-backup of `coffer operator`.
std::vector<ConsoleCommand> BackupCommands();

}  // namespace coffer::server
