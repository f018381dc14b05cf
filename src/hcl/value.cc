#include "coffer/hcl/value.h"

#include <cstdio>

namespace coffer::hcl {

tl::unexpected<Error> FailAt(Position at, std::string_view what) {
  return Fail(Code::kInvalid, "line " + std::to_string(at.line) + ", column " +
                                  std::to_string(at.column) + ": " + std::string(what));
}

std::string_view KindName(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kBool:
      return "a boolean";
    case Value::Kind::kInteger:
      return "an integer";
    case Value::Kind::kReal:
      return "a number";
    case Value::Kind::kText:
      return "a string";
    case Value::Kind::kList:
      return "a list";
    case Value::Kind::kObject:
      return "an object";
  }
  return "a value";
}

std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (octet < 0x20 || octet == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", octet);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace coffer::hcl
