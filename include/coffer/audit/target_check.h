#pragma once

#include "coffer/audit/device_settings.h"
#include "coffer/base/result.h"

namespace coffer::audit {

// Says what keeps a device from its target now, as far as that can be seen without making or
// writing anything: a file's place, kind, mode and content; a pipe without a reader; a socket or a
// system's log that nobody listens on, which is waited for at most the settings' write_wait.
// kUnavailable, or kInvalid where waiting does not help.
Status CheckTarget(const DeviceSettings& settings);

}  // namespace coffer::audit
