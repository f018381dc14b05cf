#pragma once

#include <vector>

#include "coffer/base/result.h"
#include "server/config/config.h"

namespace coffer::server {

// Checks that no other user can change the files that this configuration makes a process load and
// trust: the module, SoftHSM's own configuration, PIN files, and the directories of data, token and
// module copies. Call it before any of them is used. kInvalid as CheckTrustedPath's.
Status CheckPlaces(const Config& config);

// The faults of directories that are configured for the API and that it could not use: a start only
// warns of them.
std::vector<Error> FindUseless(const Config& config);

// All faults for which a start would be refused, worded as the start words them; also audit devices
// that would take no entries, and the faults of FindUseless(). Touches neither the token nor the
// database and binds no address: looks at places, the data directory, the PIN, the module's file,
// listeners with their certificates, and connects to the targets of audit devices. Faults in the
// token or the database, and addresses that another process has bound, are not found.
std::vector<Error> FindRefusals(const Config& config);

}  // namespace coffer::server
