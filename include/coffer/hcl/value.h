#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::hcl {

// A place in a text. Lines and columns count from 1; columns count characters.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
};

// kInvalid "line L, column C: <what>".
tl::unexpected<Error> FailAt(Position at, std::string_view what);

struct Member;

// One value of a document. A block's body and an object are the same kind.
struct Value {
  enum class Kind { kBool, kInteger, kReal, kText, kList, kObject };
  Kind kind = Kind::kObject;
  Position at;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Value> items;     // of a list
  std::vector<Member> members;  // of an object, in order of appearance
};

struct Label {
  std::string text;
  Position at;
};

// `name = value`, or the block `name "label" ... { value }`. Attributes are unique in their object,
// blocks are not.
struct Member {
  std::string name;
  Position at;
  bool block = false;
  std::vector<Label> labels;
  Value value;
};

// "a string", "a list": for error texts.
std::string_view KindName(Value::Kind kind);

// `text` as a quoted string that parses back to it.
std::string Quote(std::string_view text);

}  // namespace coffer::hcl
