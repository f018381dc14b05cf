#include "json_writer.h"

#include <array>
#include <charconv>

#include "coffer/base/base64.h"
#include "coffer/base/hex.h"

namespace coffer::api {
namespace {

bool NeedsEscape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

void AppendEscaped(std::string& out, char c) {
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += c;
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      AppendHex(static_cast<std::uint8_t>(c), out);
  }
}

void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!NeedsEscape(text[i])) continue;
    out.append(text.substr(clean, i - clean));
    AppendEscaped(out, text[i]);
    clean = i + 1;
  }
  out.append(text.substr(clean));
  out += '"';
}

}  // namespace

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
  AppendQuoted(out_, name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view text) {
  Separate();
  AppendQuoted(out_, text);
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
