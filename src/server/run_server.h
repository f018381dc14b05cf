#pragma once

#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "server/config.h"

namespace coffer::server {

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and all it will start, forbids core dumps. First
// of all in main.
void PrepareProcess();

// Serves until SIGTERM or SIGINT, then drains. An error is a failed start, with a sentence that
// says what to do.
Status RunServer(const Config& config, Random& random, Logger& logger);

// Makes the first root token, or with `replace` another in place of a lost one, for a server that
// is not running. kConflict, kNotFound with what to do where there is one already, or none.
Result<SecretBytes> MakeRootToken(const Config& config, bool replace, Random& random,
                                  Logger& logger);

}  // namespace coffer::server
