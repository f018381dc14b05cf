#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/random.h"

namespace coffer {

// 128 random bits naming a key, a mount or a database. Ids are never paths or names, so renames
// touch no MAC.
struct Id {
  std::array<std::uint8_t, 16> octets{};

  static Id Generate(Random& random);
  // Exactly 16 bytes, else nothing.
  static std::optional<Id> FromBytes(ByteView bytes);
  ByteView View() const { return octets; }
  // RFC 4122 text form (8-4-4-4-12, lower case); version and variant bits are set by Generate
  // (version 4).
  std::string ToUuid() const;

  friend auto operator<=>(const Id&, const Id&) = default;
};

struct IdHash {
  std::size_t operator()(const Id& id) const noexcept;
};

// `length` characters of [0-9A-Za-z], uniform.
std::string RandomBase62(Random& random, std::size_t length);

}  // namespace coffer
