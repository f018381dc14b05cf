#include "coffer/base/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace coffer {
namespace {

// How many bytes at `text` are ASCII, counted in whole words.
std::size_t AsciiWords(std::string_view text) {
  std::size_t at = 0;
  std::uint64_t word = 0;
  while (at + sizeof word <= text.size()) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
    at += sizeof word;
  }
  return at;
}

// The number of bytes that follow a lead byte, and the range in which the first of them must lie.
// `more` is 0 for a byte that is no lead.
struct Sequence {
  std::size_t more = 0;
  std::uint8_t first_low = 0x80;
  std::uint8_t first_high = 0xbf;
};

Sequence SequenceOf(std::uint8_t lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return {1};
  if (lead == 0xe0) return {2, 0xa0};
  if (lead == 0xed) return {2, 0x80, 0x9f};
  if (lead >= 0xe1 && lead <= 0xef) return {2};
  if (lead == 0xf0) return {3, 0x90};
  if (lead == 0xf4) return {3, 0x80, 0x8f};
  if (lead >= 0xf1 && lead <= 0xf3) return {3};
  return {};
}

}  // namespace

std::size_t Utf8Octets(std::string_view text, std::size_t at) {
  const auto lead = static_cast<std::uint8_t>(text[at]);
  if (lead < 0x80) return 1;
  const Sequence sequence = SequenceOf(lead);
  if (sequence.more == 0 || text.size() - at <= sequence.more) return 0;
  const auto first = static_cast<std::uint8_t>(text[at + 1]);
  if (first < sequence.first_low || first > sequence.first_high) return 0;
  for (std::size_t i = 2; i <= sequence.more; ++i) {
    if ((static_cast<std::uint8_t>(text[at + i]) & 0xc0) != 0x80) return 0;
  }
  return 1 + sequence.more;
}

void AppendUtf8(std::uint32_t point, std::string& out) {
  const auto low_bits = [&](unsigned shift) {
    return static_cast<char>(0x80 | ((point >> shift) & 0x3f));
  };
  if (point < 0x80) {
    out += static_cast<char>(point);
    return;
  }
  if (point < 0x800) {
    out += static_cast<char>(0xc0 | (point >> 6));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | (point >> 12));
    out += low_bits(6);
  } else {
    out += static_cast<char>(0xf0 | (point >> 18));
    out += low_bits(12);
    out += low_bits(6);
  }
  out += low_bits(0);
}

bool IsUtf8(std::string_view text) {
  std::size_t at = AsciiWords(text);
  while (at < text.size()) {
    const std::size_t octets = Utf8Octets(text, at);
    if (octets == 0) return false;
    at += octets;
  }
  return true;
}

}  // namespace coffer
