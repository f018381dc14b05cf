#pragma once

#include <memory>

#include "coffer/base/logger.h"

namespace coffer::server {

// One line for each event on standard error. Thread-safe.
std::unique_ptr<Logger> MakeStderrLog();

}  // namespace coffer::server
