#pragma once

#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "server/config/config.h"
#include "server/log/log_levels.h"
#include "server/reload.h"

namespace coffer::server {

// Sets up the process of a command that touches a token: it makes files for its user only, writes
// no core dumps, gets no SIGPIPE, and has as many descriptors as it may. Call it before there is a
// second thread.
void PrepareProcess();

// Serves until SIGTERM or SIGINT, then drains; SIGHUP reads certificates again, opens the audit
// files anew and reads the configuration again. Blocks these signals in the calling thread; one
// that comes during the start is acted on after it. An error is a failed start, with a sentence
// that says what to do.
Status RunServer(const Config& config, const ReadAgain& read_again, Random& random,
                 LeveledLog& logger);

}  // namespace coffer::server
