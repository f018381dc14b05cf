#pragma once

// The interface that makes the MACs of rows and the terms of their sums. storage declares it,
// keyring implements it over the token, and Database::Authenticate() receives it. Thread-safe; it
// does not fail.

#include <array>
#include <cstdint>
#include <string_view>

#include "coffer/base/bytes.h"

namespace coffer::storage {

// A code over data, or a sum of such codes modulo 2^256 (big-endian).
using Code256 = std::array<std::uint8_t, 32>;

// HMAC-SHA256 under one key for each use. The keys are in the memory of the process and derived
// from the token's coffer-meta and the database's identity. Whoever reads that memory can make
// codes as well (docs/threat-model.md).
class RowAuthenticator {
 public:
  virtual ~RowAuthenticator() = default;
  // `use` names the key: codes of one use say nothing about those of another.
  virtual Code256 Of(std::string_view use, ByteView data) const = 0;
};

}  // namespace coffer::storage
