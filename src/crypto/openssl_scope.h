#pragma once

#include <openssl/err.h>

#include <limits>

#include "coffer/base/bytes.h"

namespace coffer::crypto {

// For std::unique_ptr: FreeWith<::BIO_free>.
template <auto Function>
struct FreeWith {
  template <typename T>
  void operator()(T* pointer) const {
    Function(pointer);
  }
};

// What OpenSSL queued belongs to nobody: an answer is all that leaves this room.
struct ErrorMark {
  ErrorMark() { ::ERR_set_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
  ~ErrorMark() { ::ERR_pop_to_mark(); }
};

// Whether OpenSSL's d2i functions can be told the length.
inline bool FitsLong(ByteView octets) {
  return octets.size() <= static_cast<std::size_t>(std::numeric_limits<long>::max());
}

}  // namespace coffer::crypto
