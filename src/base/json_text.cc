#include "coffer/base/json_text.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "coffer/base/bytes.h"
#include "coffer/base/utf8.h"

namespace coffer {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool IsPlain(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet >= 0x20 && octet < 0x7f && c != '"' && c != '\\';
}

void AppendEscaped(char c, std::string& out) {
  constexpr std::string_view kNamed = "\"\\\n\r\t";
  constexpr std::string_view kNames = "\"\\nrt";
  if (const auto named = kNamed.find(c); named != std::string_view::npos) {
    out += '\\';
    out += kNames[named];
  } else {
    out += "\\u00";
    AppendHex(std::array{static_cast<std::uint8_t>(c)}, out);
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  std::size_t clean = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (IsPlain(text[at])) {
      ++at;
      continue;
    }
    const std::size_t octets = Utf8Octets(text, at);
    if (octets > 1) {
      at += octets;
      continue;
    }
    out.append(text.substr(clean, at - clean));
    if (octets == 0) {
      out.append(kReplacement);
    } else {
      AppendEscaped(text[at], out);
    }
    clean = ++at;
  }
  out.append(text.substr(clean));
  out += '"';
}

}  // namespace coffer
