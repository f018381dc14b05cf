#pragma once

#include <string_view>

#include "coffer/audit/broker.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"

namespace coffer::audit {

// Removes a device that was enabled through the API while no broker is open: a device that cannot
// be opened could keep every request from being answered. Its file is left alone. The caller owns
// the database and is its only user. Returns the settings of the device; kNotFound if there is
// none, kInvalid for one of the configuration.
Result<DeviceSettings> ForgetDevice(storage::Database& database, std::string_view path);

}  // namespace coffer::audit
