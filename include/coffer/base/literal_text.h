#pragma once

#include <string_view>

namespace coffer {

// A text that stands in the program. Only a constant makes one, so nothing that anybody sent, and
// no secret, can be in it. One of two: `flag ? LiteralText("a") : LiteralText("b")`.
class LiteralText {
 public:
  constexpr LiteralText() = default;
  // NOLINTBEGIN(google-explicit-constructor): a literal is such a text
  consteval LiteralText(const char* text) : text_(text) {}
  consteval LiteralText(std::string_view text) : text_(text) {}
  constexpr operator std::string_view() const { return text_; }
  // NOLINTEND(google-explicit-constructor)
  constexpr bool Empty() const { return text_.empty(); }

 private:
  std::string_view text_;
};

}  // namespace coffer
