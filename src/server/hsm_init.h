#pragma once

#include <cstddef>

#include "coffer/base/random.h"
#include "coffer/base/secret_bytes.h"
#include "server/console_command.h"

namespace coffer::server {

// `coffer hsm init`: the token (where SoftHSM is to make it), the masters and coffer-* objects that
// are missing, their attributes read back, and what to back up. Idempotent.
Status InitHsm(Console& console);

// 128 random bits in hexadecimal, cut to `digits`: a short PIN of a stolen software token falls in
// seconds.
SecretBytes RandomPin(Random& random, std::size_t digits);

}  // namespace coffer::server
