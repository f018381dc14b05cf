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

  // Reserves room for `more` bytes. Answers with secrets reserve all that they need at first, so
  // that no half-written copy stays in freed memory.
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
  // Writes a string: `prefix`, which must need no escaping, followed by `bytes` in Base64 (RFC
  // 4648, section 4).
  JsonWriter& Base64(ByteView bytes, std::string_view prefix = {});
  // Writes a value that is JSON already.
  JsonWriter& Literal(std::string_view text);

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();
  std::string& out_;
  bool need_comma_ = false;
};

}  // namespace coffer::api
