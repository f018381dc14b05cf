#pragma once

#include <string_view>

#include "coffer/base/result.h"
#include "coffer/keyring/key.h"

namespace coffer::api {

// The key type of a wire name; `parameter_set` chooses among those of "ml-dsa". kInvalid "unknown
// key type X", or says that this server holds no keys of a type that others know.
Result<keyring::KeyType> KeyTypeOf(std::string_view name, std::string_view parameter_set = {});

}  // namespace coffer::api
