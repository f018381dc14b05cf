#include "coffer/base/bytes.h"

namespace coffer {

void AppendHex(ByteView bytes, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    out[at++] = kDigits[byte >> 4];
    out[at++] = kDigits[byte & 0x0f];
  }
}

std::string ToHex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  AppendHex(bytes, out);
  return out;
}

}  // namespace coffer
