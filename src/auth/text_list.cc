#include "auth/text_list.h"

#include <cstddef>

namespace coffer::auth {
namespace {

constexpr std::size_t kLengthBytes = 4;

}  // namespace

Bytes EncodeTexts(const std::vector<std::string>& texts) {
  Bytes bytes;
  for (const std::string& text : texts) {
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(text.size() >> (8 * i)));
    }
    bytes.insert(bytes.end(), text.begin(), text.end());
  }
  return bytes;
}

std::optional<std::vector<std::string>> DecodeTexts(ByteView bytes) {
  std::vector<std::string> texts;
  while (!bytes.empty()) {
    if (bytes.size() < kLengthBytes) return std::nullopt;
    std::size_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
      length |= static_cast<std::size_t>(bytes[i]) << (8 * i);
    }
    bytes = bytes.subspan(kLengthBytes);
    if (length > bytes.size()) return std::nullopt;
    texts.emplace_back(AsText(bytes.first(length)));
    bytes = bytes.subspan(length);
  }
  return texts;
}

}  // namespace coffer::auth
