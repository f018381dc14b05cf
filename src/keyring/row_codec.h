#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/ids.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/token.h"

namespace coffer::keyring {

// The bytes under the MACs of version rows, key rows and the former state row (docs/formats.md;
// golden tests compare them). Every field is a
// 32-bit big-endian length and its bytes; integers are 8 bytes big-endian; the first field names
// the schema, so no encoding is another's prefix.
Bytes EncodeVersionRow(const Id& key, const KeySpec& spec, const KeyVersion& version);
Bytes EncodeKeyRow(const Id& database, const Key& key);

// A sum modulo 2^256, big-endian.
using Sum = std::array<std::uint8_t, 32>;

// The state row of a database from before storage kept the sums: one value for the whole set of
// keys.
struct StateRow {
  Id database;
  std::uint64_t epoch = 0;
  std::int64_t keys = 0;
  Sum sum{};
};
Bytes EncodeStateRow(const StateRow& state);

// The amount that a key adds to the sum: SHA-256(key id, generation, key MAC).
Sum KeyContribution(const Id& key, std::int64_t generation, ByteView key_mac);
void AddTo(Sum& sum, const Sum& term);
void SubtractFrom(Sum& sum, const Sum& term);

}  // namespace coffer::keyring
