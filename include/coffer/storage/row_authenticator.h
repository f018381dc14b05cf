#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "coffer/base/bytes.h"

namespace coffer::storage {

// A code over data, or a sum of such codes modulo 2^256 (big-endian).
using Code256 = std::array<std::uint8_t, 32>;

// Makes the codes by which rows are authenticated: HMAC-SHA256 under a key of the process for each
// use, derived from the token's coffer-meta and the database's identity. storage declares it, the
// server joins it (Database::Authenticate). Whoever reads the memory of the process can make codes
// as well (docs/threat-model.md). Thread-safe; it does not fail.
class RowAuthenticator {
 public:
  virtual ~RowAuthenticator() = default;
  // `use` names the key: codes of one use say nothing about those of another.
  virtual Code256 Of(std::string_view use, ByteView data) const = 0;
};

}  // namespace coffer::storage
