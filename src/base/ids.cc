#include "coffer/base/ids.h"

#include <algorithm>
#include <cstring>

namespace coffer {

Id Id::Generate(Random& random) {
  Id id;
  random.Fill(id.octets);
  id.octets[6] = static_cast<std::uint8_t>((id.octets[6] & 0x0f) | 0x40);
  id.octets[8] = static_cast<std::uint8_t>((id.octets[8] & 0x3f) | 0x80);
  return id;
}

std::optional<Id> Id::FromBytes(ByteView bytes) {
  Id id;
  if (bytes.size() != id.octets.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), id.octets.begin());
  return id;
}

std::string Id::ToUuid() const {
  std::string text = ToHex(octets);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

std::size_t IdHash::operator()(const Id& id) const noexcept {
  // Ids are random: any eight bytes are a hash.
  std::size_t hash = 0;
  std::memcpy(&hash, id.octets.data(), sizeof hash);
  return hash;
}

std::string RandomBase62(Random& random, std::size_t length) {
  static constexpr char kDigits[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::uint8_t kLargestMultiple =
      62 * 4;  // values above it would favour the first digits
  std::string out;
  out.reserve(length);
  std::array<std::uint8_t, 32> block{};
  while (out.size() < length) {
    random.Fill(block);
    for (const std::uint8_t value : block) {
      if (value < kLargestMultiple && out.size() < length) out.push_back(kDigits[value % 62]);
    }
  }
  return out;
}

}  // namespace coffer
