#pragma once

#include <string>
#include <string_view>

#include "coffer/http/message.h"

namespace coffer::http {

// Appends the answer as it goes on the wire; `head_only` for HEAD.
void AppendResponse(const Response& response, bool head_only, bool close, std::string& out);
// {"errors":["text"]}; `text` is one of our own literals.
Response ErrorResponse(int status, std::string_view text);
// Overwrites a body that holds a secret.
void WipeBody(Response& response);

}  // namespace coffer::http
