#pragma once

#include "coffer/audit/device_settings.h"
#include "coffer/base/result.h"

namespace coffer::audit {

// Returns the reason for which a device could not reach its target now, as far as that can be seen
// without making or writing anything: the place, kind, mode and content of a file; a pipe without a
// reader; a socket or a system's log that nobody listens on, which is waited for at most the
// write_wait of the settings. It keeps nothing; any thread. kUnavailable, or kInvalid if waiting
// does not help.
Status CheckTarget(const DeviceSettings& settings);

}  // namespace coffer::audit
