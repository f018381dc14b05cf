#pragma once

#include <functional>

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "server/console/console_command.h"

namespace coffer::server {

// The file with the root token, in the data directory of a development server.
inline constexpr const char* kRootTokenFile = "root-token";

// "hvs." and 24 random characters.
SecretBytes NewRootToken(Random& random);

// Makes the first root token, or with `replace` another in place of a lost one, for a server that
// is not running, and records it in the audit trail first. It is valid only after `show` has
// succeeded with it: a token that could not be shown never becomes valid. kConflict, kNotFound with
// what to do where there is one already, or none.
Status MakeRootToken(Console& console, bool replace,
                     const std::function<Status(const SecretBytes& token)>& show);

}  // namespace coffer::server
