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

// Removes, at its end, the errors that OpenSSL queued since its beginning: nobody reads them, since
// callers of this room get an answer or an Error.
struct ErrorMark {
  ErrorMark() { ::ERR_set_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
  ~ErrorMark() { ::ERR_pop_to_mark(); }
};

// True if the length fits into the `long` that OpenSSL's d2i functions take.
inline bool FitsLong(ByteView octets) {
  return octets.size() <= static_cast<std::size_t>(std::numeric_limits<long>::max());
}

}  // namespace coffer::crypto
