#include "coffer/base/bytes.h"

#include "coffer/base/hex.h"

namespace coffer {

void AppendHex(std::uint8_t byte, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 0x0f]);
}

std::string ToHex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) AppendHex(byte, out);
  return out;
}

}  // namespace coffer
