#pragma once

#include <cstdint>

#include "coffer/base/bytes.h"

namespace coffer::pkcs11 {

// The bytes of a cryptoki structure or number, as a token takes them. `value` must outlive them.
template <typename T>
ByteView RawBytes(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

}  // namespace coffer::pkcs11
