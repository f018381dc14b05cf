#pragma once

#include "coffer/base/result.h"
#include "server/console/console_command.h"

namespace coffer::server {

// `coffer hsm gc`: lists the token's objects that belong to this database and to no key, and
// destroys them where `yes` or the terminal's user says so. Never a master key, nor another
// database's object.
Status CollectHsmGarbage(Console& console, bool yes);

}  // namespace coffer::server
