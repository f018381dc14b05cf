#pragma once

#include "coffer/base/result.h"
#include "server/config.h"

namespace coffer::server {

// Checks that nobody else can change what this configuration has a process load and believe: the
// module, SoftHSM's own configuration, PIN files, and the directories of data, token and module
// copies. Before any of them is used. kInvalid as CheckTrustedPath's.
Status CheckPlaces(const Config& config);

}  // namespace coffer::server
