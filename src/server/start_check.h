#pragma once

#include <vector>

#include "coffer/base/result.h"
#include "server/config/config.h"

namespace coffer::server {

// Checks that nobody else can change what this configuration has a process load and believe: the
// module, SoftHSM's own configuration, PIN files, and the directories of data, token and module
// copies. Before any of them is used. kInvalid as CheckTrustedPath's.
Status CheckPlaces(const Config& config);

// Directories for the API that the API could not use: a start only warns of them.
std::vector<Error> FindUseless(const Config& config);

// All that a start would refuse, each as the start says it, audit devices that would take nothing,
// and FindUseless(). Touches neither the token nor the database and binds no address: looks at
// places, the data directory, the PIN, the module's file, listeners with their certificates, and
// connects to the targets of audit devices. Unknown remain what the token and the database hold,
// and addresses that somebody else has.
std::vector<Error> FindRefusals(const Config& config);

}  // namespace coffer::server
