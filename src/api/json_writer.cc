#include "api/json_writer.h"

#include <array>
#include <charconv>

#include "coffer/base/base64.h"
#include "coffer/base/json_text.h"

namespace coffer::api {

void JsonWriter::Separate() {
  if (need_comma_) out_ += ',';
  need_comma_ = true;
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  out_ += bracket;
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  AppendJsonString(name, out_);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view text) {
  Separate();
  AppendJsonString(text, out_);
  return *this;
}

JsonWriter& JsonWriter::Int(std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return Literal({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

JsonWriter& JsonWriter::Base64(ByteView bytes, std::string_view prefix) {
  Separate();
  out_ += '"';
  out_.append(prefix);
  Base64Append(bytes, out_);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::Literal(std::string_view json) {
  Separate();
  out_.append(json);
  return *this;
}

}  // namespace coffer::api
