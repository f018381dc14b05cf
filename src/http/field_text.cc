#include "http/field_text.h"

#include <algorithm>
#include <array>

#include "coffer/base/ascii.h"

namespace coffer::http {
namespace {

constexpr std::array<bool, 256> MakeTokenTable() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c :
       {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<std::uint8_t>(c)] = true;
  }
  return table;
}
constexpr auto kToken = MakeTokenTable();

bool IsTokenCharacter(char c) { return kToken[static_cast<std::uint8_t>(c)]; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// True for digits that stand for at most 65535, and for an empty text, which is a port, too (RFC
// 3986, 3.2.3).
bool IsPort(std::string_view text) {
  std::uint32_t port = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return false;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
    if (port > 65535) return false;
  }
  return true;
}

bool ParseChunkSize(std::string_view text, std::uint64_t& value) {
  if (text.empty() || text.size() > 15) return false;
  value = 0;
  for (const char c : text) {
    const int digit = HexDigit(c);
    if (digit < 0) return false;
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return true;
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

void SkipBlanks(std::string_view& text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
}

// Takes a token off the beginning.
bool TakeToken(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && IsTokenCharacter(text[size])) ++size;
  text.remove_prefix(size);
  return size > 0;
}

// Takes a quoted string off the beginning.
bool TakeQuoted(std::string_view& text) {
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    const bool escaped = text.front() == '\\';
    if (escaped) text.remove_prefix(1);
    if (text.empty() || !(IsVisible(text.front()) || IsBlank(text.front()))) return false;
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  text.remove_prefix(1);
  return true;
}

// True for chunk extensions (RFC 9112, 7.1.1), from the first semicolon on. They are checked and
// not used.
bool AreExtensions(std::string_view text) {
  while (!text.empty()) {
    SkipBlanks(text);
    if (text.empty() || text.front() != ';') return false;
    text.remove_prefix(1);
    SkipBlanks(text);
    if (!TakeToken(text)) return false;
    std::string_view behind = text;
    SkipBlanks(behind);
    if (behind.empty() || behind.front() != '=') continue;
    text = behind.substr(1);
    SkipBlanks(text);
    const bool quoted = !text.empty() && text.front() == '"';
    if (!(quoted ? TakeQuoted(text) : TakeToken(text))) return false;
  }
  return true;
}

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsTokenCharacter(c); });
}

bool IsHost(std::string_view text) {
  std::string_view host = text;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    host = text.substr(1, end - 1);
    const bool address = std::all_of(
        host.begin(), host.end(), [](char c) { return HexDigit(c) >= 0 || c == ':' || c == '.'; });
    if (!address) return false;
    text.remove_prefix(end + 1);
  } else {
    host = text.substr(0, text.find(':'));
    const bool name =
        !host.empty() && host.find("..") == std::string_view::npos &&
        std::all_of(host.begin(), host.end(), [](char c) { return IsTokenCharacter(c); });
    if (!name) return false;
    text.remove_prefix(host.size());
  }
  return text.empty() || (text.front() == ':' && IsPort(text.substr(1)));
}

bool ListHas(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    if (EqualsIgnoringCase(Trim(item), word)) return true;
    list.remove_prefix(item.size() < list.size() ? item.size() + 1 : list.size());
  }
  return false;
}

bool ParseLength(std::string_view text, std::uint64_t& value) {
  if (text.empty() || text.size() > 18) return false;
  value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return true;
}

bool ParseChunkLine(std::string_view line, std::uint64_t& size) {
  const std::size_t semicolon = line.find(';');
  if (semicolon == std::string_view::npos) return ParseChunkSize(line, size);
  std::string_view number = line.substr(0, semicolon);
  while (!number.empty() && IsBlank(number.back())) number.remove_suffix(1);
  return ParseChunkSize(number, size) && AreExtensions(line.substr(semicolon));
}

}  // namespace coffer::http
