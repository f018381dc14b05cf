#pragma once

#include <string_view>

#include "coffer/http/handler.h"

namespace coffer::http {

// A handler whose clients read errors as {"errors":["text"]}.
class JsonRefusals : public Handler {
 public:
  void WriteRefusal(std::string_view text, Response& response) const override {
    response.body.append(R"({"errors":[")").append(text).append("\"]}\n");
  }
};

}  // namespace coffer::http
