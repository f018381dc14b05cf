#pragma once

#include <string_view>

namespace coffer {

// A text that is a constant of the program. Nothing else converts to it, so it can hold no secret
// and nothing that a client sent. To choose between two: `flag ? LiteralText("a") :
// LiteralText("b")`.
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
