#pragma once

#include <string_view>

#include "coffer/audit/broker.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"

namespace coffer::audit {

// Takes away a device that the API enabled while no broker is open, since one that cannot be opened
// keeps every request from being answered. Its file is left alone. Returns what it was; kNotFound
// where there is none, kInvalid for one of the configuration.
Result<DeviceSettings> ForgetDevice(storage::Database& database, std::string_view path);

}  // namespace coffer::audit
