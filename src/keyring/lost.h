#pragma once

#include <string>
#include <utility>

#include "coffer/base/result.h"

namespace coffer::keyring {

// The deeper reason of an error, or its message if it has none.
inline std::string Why(const Error& error) {
  return error.cause.empty() ? error.message : error.cause;
}

// The error where the token cannot be reached; `cause` is for the log.
inline auto Lost(std::string cause = {}) {
  return Fail(Code::kTokenLost, "the token is not reachable", std::move(cause));
}

inline auto Lost(const Error& why) { return Lost(Why(why)); }

}  // namespace coffer::keyring
