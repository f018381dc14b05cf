#pragma once

#include <string>
#include <utility>

#include "coffer/base/result.h"

namespace coffer::keyring {

// The error where the token cannot be reached; `cause` is for the log.
inline auto Lost(std::string cause = {}) {
  return Fail(Code::kTokenLost, "the token is not reachable", std::move(cause));
}

inline auto Lost(const Error& why) { return Lost(why.cause.empty() ? why.message : why.cause); }

}  // namespace coffer::keyring
