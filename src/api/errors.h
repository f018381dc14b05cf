#pragma once

#include <string>
#include <string_view>

#include "coffer/base/error.h"

namespace coffer::api {

// The one place where a code becomes an HTTP status.
int HttpStatus(Code code);

// What a client may read of `error`: internal ones are withheld; permission, path and verb errors
// carry the reference's wrapping because scripts look for it.
std::string ClientText(const Error& error);

// {"errors":["..."]}, or {"errors":[]} for an absent object without a text.
std::string ErrorBody(const Error& error);

}  // namespace coffer::api
