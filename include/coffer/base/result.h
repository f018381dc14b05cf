#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "coffer/base/error.h"

namespace coffer {

// A value or an Error. Exceptions never cross a room: each adapter catches its library's.
template <typename T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

// The text may be a literal or a std::string, and is known as the one or the other.
inline tl::unexpected<Error> Fail(Code code, LiteralText message, std::string cause = {}) {
  return tl::unexpected<Error>(Error(code, message, std::move(cause)));
}
template <typename Text>
requires std::same_as<std::remove_cvref_t<Text>, std::string> tl::unexpected<Error> Fail(
    Code code, Text&& message, std::string cause = {}) {
  return tl::unexpected<Error>(Error(code, std::forward<Text>(message), std::move(cause)));
}

inline tl::unexpected<Error> Fail(Refusal refusal, RefusalArguments arguments = {},
                                  std::string cause = {}) {
  return tl::unexpected<Error>(Error(refusal, std::move(arguments), std::move(cause)));
}

inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace coffer

// NOLINTBEGIN(bugprone-macro-parentheses): names and declarations cannot stand in parentheses
#define COFFER_CONCAT_INNER(a, b) a##b
#define COFFER_CONCAT(a, b) COFFER_CONCAT_INNER(a, b)

// Returns the error of `expression` (a Result or Status) from the enclosing function, if it has
// one.
#define COFFER_TRY(expression) COFFER_TRY_INNER(COFFER_CONCAT(coffer_status_, __LINE__), expression)
#define COFFER_TRY_INNER(status, expression)            \
  do {                                                  \
    if (auto status = (expression); !status) {          \
      return ::coffer::Fail(std::move(status).error()); \
    }                                                   \
  } while (false)

// COFFER_ASSIGN(auto value, Call()); binds the value or returns the error.
#define COFFER_ASSIGN(declaration, expression) \
  COFFER_ASSIGN_INNER(COFFER_CONCAT(coffer_result_, __LINE__), declaration, expression)
#define COFFER_ASSIGN_INNER(result, declaration, expression)     \
  auto result = (expression);                                    \
  if (!result) return ::coffer::Fail(std::move(result).error()); \
  declaration = std::move(*result)
// NOLINTEND(bugprone-macro-parentheses)
