#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"

namespace coffer::api {

// Appends JSON to a string, with commas where they belong. Texts must be UTF-8, which every text
// that reaches an answer is: request paths and JSON input are checked, the rest is our own.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  // Room for so many more octets: answers with secrets reserve all they need, so that no
  // half-written copy is left behind in freed memory.
  void Reserve(std::size_t more) { out_.reserve(out_.size() + more); }
  std::size_t Size() const { return out_.size(); }

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);

  JsonWriter& Text(std::string_view text);
  JsonWriter& Int(std::int64_t number);
  JsonWriter& Bool(bool value) { return Literal(value ? "true" : "false"); }
  JsonWriter& Null() { return Literal("null"); }
  // A string of Base64 (RFC 4648 section 4), behind `prefix`, which needs no escaping.
  JsonWriter& Base64(ByteView bytes, std::string_view prefix = {});
  // A finished value.
  JsonWriter& Literal(std::string_view json);

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();
  std::string& out_;
  bool need_comma_ = false;
};

}  // namespace coffer::api
