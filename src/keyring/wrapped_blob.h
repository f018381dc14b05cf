#pragma once

#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/keyring/token.h"

namespace coffer::keyring {

// True if the token's master of this name opens the blob. The blob's MAC was checked, so false
// means that the master is another one; an error is the token's failure.
inline Result<bool> Opens(Token& token, const KeySpec& spec, Use use, std::string_view master,
                          ByteView blob) {
  const auto handle = token.Unwrap(spec, use, master, blob);
  if (!handle && handle.error().code != Code::kCorrupt) return Fail(handle.error());
  if (handle) token.Destroy(*handle);
  return handle.has_value();
}

}  // namespace coffer::keyring
