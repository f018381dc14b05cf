#include "hcl/scanner.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "coffer/base/ascii.h"
#include "coffer/base/utf8.h"

namespace coffer::hcl {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsWordPart(char c) { return IsWordStart(c) || IsDigit(c) || c == '-' || c == '.'; }
bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t LeadingBlanks(std::string_view line) {
  const std::size_t blanks = line.find_first_not_of(" \t");
  return blanks == std::string_view::npos ? line.size() : blanks;
}

// The lines of a heredoc as one text; `indented` takes the blanks away that all lines begin with.
std::string JoinLines(const std::vector<std::string_view>& lines, bool indented) {
  std::size_t margin = 0;
  if (indented) {
    margin = std::string_view::npos;
    for (const std::string_view line : lines) {
      if (!line.empty()) margin = std::min(margin, LeadingBlanks(line));
    }
  }
  std::string joined;
  for (std::string_view line : lines) {
    line.remove_prefix(std::min(margin, line.size()));
    joined.append(line).append("\n");
  }
  return joined;
}

}  // namespace

Status Scanner::CheckCharacters() const {
  Position at;
  for (std::size_t i = 0; i < text_.size();) {
    const std::size_t length = Utf8Octets(text_, i);
    const char c = text_[i];
    if (length == 0) return FailAt(at, "the text is not UTF-8");
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') ||
        c == 0x7f) {
      return FailAt(at, "control characters are not allowed");
    }
    at = c == '\n' ? Position{at.line + 1, 1} : Position{at.line, at.column + 1};
    i += length;
  }
  return {};
}

char Scanner::Take() {
  const char c = text_[next_++];
  if (c == '\n') {
    at_ = {at_.line + 1, 1};
  } else if (!IsContinuation(c)) {
    ++at_.column;
  }
  return c;
}

Result<bool> Scanner::SkipBlanks(bool newlines, bool comments) {
  bool ended = false;
  while (!AtEnd()) {
    const char c = Peek();
    if (c == ' ' || c == '\t' || c == '\r') {
      Take();
    } else if (c == '\n' && newlines) {
      Take();
      ended = true;
    } else if (comments && (c == '#' || LooksAt("//"))) {
      RestOfLine();
    } else if (comments && LooksAt("/*")) {
      const Position begin = at_;
      while (!LooksAt("*/")) {
        if (AtEnd()) return FailAt(begin, "the comment has no end");
        Take();
      }
      Take();
      Take();
    } else {
      break;
    }
  }
  return ended;
}

std::string_view Scanner::RestOfLine() {
  const std::size_t begin = next_;
  while (!AtEnd() && Peek() != '\n') Take();
  std::string_view line = text_.substr(begin, next_ - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<std::uint32_t> Scanner::HexDigits(std::size_t count, Position at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = HexDigit(Peek());
    if (digit < 0) {
      return FailAt(at, "the escape needs " + std::to_string(count) + " hexadecimal digits");
    }
    value = value << 4 | static_cast<std::uint32_t>(digit);
    Take();
  }
  return value;
}

Status Scanner::Escape(bool json, std::string& out) {
  const Position at = at_;
  Take();  // the backslash
  if (AtEnd()) return FailAt(at, "the string has no end");
  const char kind = Take();
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t plain = kNames.find(kind);
  if (plain != std::string_view::npos) {
    out += kMeanings[plain];
    return {};
  }
  if (kind != 'u' && (kind != 'U' || json)) {
    return FailAt(at, std::string("unknown escape \\") + (IsContinuation(kind) ? '?' : kind));
  }
  COFFER_ASSIGN(std::uint32_t point, HexDigits(kind == 'u' ? 4 : 8, at));
  if (point >= 0xd800 && point < 0xdc00 && LooksAt("\\u")) {  // the first half of a UTF-16 pair
    Take();
    Take();
    COFFER_ASSIGN(const std::uint32_t low, HexDigits(4, at));
    if (low < 0xdc00 || low > 0xdfff) return FailAt(at, "the escape names no character");
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  }
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) || point == 0) {
    return FailAt(at, "the escape names no character");
  }
  AppendUtf8(point, out);
  return {};
}

Result<std::string> Scanner::QuotedString(bool json) {
  const Position begin = at_;
  Take();
  std::string text;
  while (!AtEnd() && Peek() != '"') {
    if (Peek() == '\n' || (json && Peek() == '\t')) break;
    if (Peek() == '\\') {
      COFFER_TRY(Escape(json, text));
    } else {
      text += Take();
    }
  }
  if (Peek() != '"') return FailAt(begin, "the string has no end on its line");
  Take();
  return text;
}

Result<std::string> Scanner::Heredoc() {
  const Position begin = at_;
  Take();
  Take();  // "<<"
  const bool indented = Peek() == '-';
  if (indented) Take();
  const std::string end = Word();
  if (end.empty() || !RestOfLine().empty() || AtEnd()) {
    return FailAt(begin, "a heredoc begins with <<NAME at the end of its line");
  }
  std::vector<std::string_view> lines;
  while (true) {
    if (AtEnd()) return FailAt(begin, "the heredoc has no line " + end + " to end it");
    Take();  // the newline
    const std::string_view line = RestOfLine();
    if (line.substr(LeadingBlanks(line)) == end) return JoinLines(lines, indented);
    lines.push_back(line);
  }
}

Result<Value> Scanner::Number() {
  const Position begin = at_;
  const std::size_t first = next_;
  if (Peek() == '-') Take();
  const bool zero = Peek() == '0';
  std::size_t digits = 0;
  for (; IsDigit(Peek()); ++digits) Take();
  bool integer = true;
  bool good = digits > 0 && !(zero && digits > 1);
  if (Peek() == '.') {
    integer = false;
    Take();
    good = good && IsDigit(Peek());
    while (IsDigit(Peek())) Take();
  }
  if (Peek() == 'e' || Peek() == 'E') {
    integer = false;
    Take();
    if (Peek() == '+' || Peek() == '-') Take();
    good = good && IsDigit(Peek());
    while (IsDigit(Peek())) Take();
  }
  if (!good || IsWordPart(Peek())) return FailAt(begin, "this is not a number");
  Value value;
  value.at = begin;
  value.kind = integer ? Value::Kind::kInteger : Value::Kind::kReal;
  const char* const from = text_.data() + first;
  const char* const to = text_.data() + next_;
  const auto [end, error] =
      integer ? std::from_chars(from, to, value.integer) : std::from_chars(from, to, value.real);
  if (error != std::errc{} || end != to) return FailAt(begin, "the number is out of range");
  return value;
}

std::string Scanner::Word() {
  std::string word;
  if (!IsWordStart(Peek())) return word;
  while (IsWordPart(Peek())) word += Take();
  return word;
}

}  // namespace coffer::hcl
