#pragma once

#include "server/console/console_command.h"

namespace coffer::server {

// `coffer hsm init`: the token (where SoftHSM is to make it), the masters and coffer-* objects that
// are missing, their attributes read back, and what to back up. Idempotent: goes on where another
// run ended.
Status InitHsm(Console& console);

}  // namespace coffer::server
