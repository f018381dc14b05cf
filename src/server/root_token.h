#pragma once

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "server/console_command.h"

namespace coffer::server {

// "hvs." and 24 random characters.
SecretBytes NewRootToken(Random& random);

// Makes the first root token, or with `replace` another in place of a lost one, for a server that
// is not running, and records it in the audit trail first. kConflict, kNotFound with what to do
// where there is one already, or none.
Result<SecretBytes> MakeRootToken(Console& console, bool replace);

}  // namespace coffer::server
