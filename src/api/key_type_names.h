#pragma once

#include <string_view>

#include "coffer/base/result.h"
#include "coffer/keyring/key.h"

namespace coffer::api {

// The key type of a wire name. kInvalid "unknown key type X", or says that this server does not
// hold keys of a type that others know.
Result<keyring::KeyType> KeyTypeOf(std::string_view name);

}  // namespace coffer::api
