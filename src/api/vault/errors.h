#pragma once

#include <string>
#include <string_view>

#include "coffer/base/error.h"
#include "coffer/base/literal_text.h"

namespace coffer::api {

// The one place where an error becomes an HTTP status.
int HttpStatus(const Error& error);

// The part of `error` that a client may read: the sentence of a refusal, or the message of a
// failure. The message of an internal failure is withheld.
std::string ClientText(const Error& error);

// {"errors":["..."]}, or {"errors":[]} for an absent object without a text. A long text is cut.
std::string ErrorBody(const Error& error);

}  // namespace coffer::api
