#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "coffer/http/handler.h"
#include "coffer/http/message.h"
#include "http/framing.h"

namespace coffer::http {

// The Date field of answers, made anew for each second. One thread.
class DateLine {
 public:
  std::string_view At(std::time_t now);
  std::string_view Now() { return At(std::time(nullptr)); }

 private:
  std::time_t at_ = -1;
  std::string text_;
};

// Appends the answer as it goes on the wire; `head_only` for HEAD.
void AppendResponse(const Response& response, std::string_view date_line, bool head_only,
                    bool close, std::string& out);
// Writes the error in the form that the handler's clients read, with the limit that was met.
Response ErrorResponse(const FrameError& error, const Handler& handler);
// Overwrites a body that holds a secret.
void WipeBody(Response& response);

}  // namespace coffer::http
