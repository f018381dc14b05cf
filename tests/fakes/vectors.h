#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"

namespace coffer::fakes {

// Reads a test's own text, which must be pairs of hexadecimal digits.
inline Bytes FromHex(std::string_view text) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

// Project Wycheproof's vectors are not part of this tree: COFFER_VECTORS names their folder, else
// they are looked for beside the checkout. A test without them is a counted skip
// (tests/allowed_skips).
inline std::filesystem::path WycheproofFolder(const std::filesystem::path& checkout) {
  if (const char* const named = std::getenv("COFFER_VECTORS")) return named;
  return checkout / ".." / "shared" / "vectors" / "wycheproof";
}

}  // namespace coffer::fakes
