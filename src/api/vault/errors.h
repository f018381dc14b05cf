#pragma once

#include <string>
#include <string_view>

#include "coffer/base/error.h"
#include "coffer/base/literal_text.h"

namespace coffer::api {

// The one place where a code becomes an HTTP status.
int HttpStatus(Code code);

// A code's name, as the audit trail has it: "permission_denied".
LiteralText CodeName(Code code);

// What a client may read of `error`: internal ones are withheld; permission, path and verb errors
// carry the reference's wrapping because scripts look for it. Valid as long as the error is.
std::string_view ClientText(const Error& error);
// The same where it is a literal, else empty.
LiteralText ClientLiteral(const Error& error);

// {"errors":["..."]}, or {"errors":[]} for an absent object without a text. A long text is cut.
std::string ErrorBody(const Error& error);

}  // namespace coffer::api
