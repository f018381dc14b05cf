#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "coffer/base/result.h"
#include "coffer/hcl/value.h"

namespace coffer::hcl {

// The characters of a document, with the place of the next one. Knows the lexical forms that HCL
// and JSON share, and those of HCL alone; the parser knows which may stand where.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Checks that the text is UTF-8 and that its only control characters are newline, carriage return
  // and tab. The error names the first character that is not allowed.
  Status CheckCharacters() const;

  bool AtEnd() const { return next_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[next_]; }
  bool LooksAt(std::string_view word) const { return text_.substr(next_).starts_with(word); }
  Position At() const { return at_; }
  char Take();

  // Blanks only, up to the end of the line; `newlines`: lines too; `comments`: HCL's, whose line
  // end counts as blank when `newlines`. Returns whether a line ended.
  Result<bool> SkipBlanks(bool newlines, bool comments);

  // Each begins at the form's first character.
  Result<std::string> QuotedString(bool json);
  Result<std::string> Heredoc();
  Result<Value> Number();
  // [A-Za-z_][A-Za-z0-9_.-]*; empty where there is none.
  std::string Word();

 private:
  Status Escape(bool json, std::string& out);
  Result<std::uint32_t> HexDigits(std::size_t count, Position at);
  std::string_view RestOfLine();

  std::string_view text_;
  std::size_t next_ = 0;
  Position at_;
};

}  // namespace coffer::hcl
