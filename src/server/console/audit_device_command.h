#pragma once

#include <vector>

#include "server/console/console_command.h"

namespace coffer::server {

// remove-audit-device of `coffer operator`.
std::vector<ConsoleCommand> AuditDeviceCommands();

}  // namespace coffer::server
