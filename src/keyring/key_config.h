#pragma once

#include <cstdint>

#include "coffer/base/result.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/key_ring.h"

namespace coffer::keyring {

// The rules of keys' settings.

Status CheckNewKey(const CreateOptions& options);
Status CheckAutoRotatePeriod(std::int64_t seconds);
// All or nothing.
Status ApplyConfig(Key& key, const ConfigChange& change);
// Checks that the versions below `wanted` may be destroyed.
Status CheckTrim(const Key& key, std::int64_t wanted);

}  // namespace coffer::keyring
