#include "audit/json_text.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace coffer::audit {
namespace {

constexpr std::array<std::array<char, 2>, 256> HexPairs() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kDigits[i >> 4], kDigits[i & 15]};
  return pairs;
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The octets of the UTF-8 sequence at `at`, or 0 where there is none.
std::size_t SequenceOctets(std::string_view text, std::size_t at) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = octet(at);
  std::size_t size = 0;
  if (lead < 0x80) {
    return 1;
  } else if (lead >= 0xc2 && lead < 0xe0) {
    size = 2;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    size = 3;
  } else if (lead >= 0xf0 && lead < 0xf5) {
    size = 4;
  }
  if (size == 0 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(at + i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = octet(at + 1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second > 0x9f;
  const bool beyond = lead == 0xf4 && second > 0x8f;
  return overlong || surrogate || beyond ? 0 : size;
}

// What stands in a JSON string as it is.
constexpr std::array<bool, 256> PlainOctets() {
  std::array<bool, 256> plain{};
  for (std::size_t octet = 0x20; octet < 0x7f; ++octet) plain[octet] = true;
  plain['"'] = plain['\\'] = false;
  return plain;
}

bool IsPlain(char c) {
  static constexpr std::array<bool, 256> kPlain = PlainOctets();
  return kPlain[static_cast<unsigned char>(c)];
}

// How many octets from `at` on stand in a JSON string as they are, eight at a time: nearly always
// all of them.
std::size_t PlainRun(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTops = 0x80 * kOnes;
  // The top bit of each octet that is zero; of others only above such a one.
  const auto zeros = [](std::uint64_t word) { return (word - kOnes) & ~word & kTops; };
  std::size_t end = at;
  for (std::uint64_t word = 0; end + sizeof word <= text.size(); end += sizeof word) {
    std::memcpy(&word, text.data() + end, sizeof word);
    const std::uint64_t below_space = (word - 0x20 * kOnes) & ~word & kTops;
    const std::uint64_t others =
        zeros(word ^ ('"' * kOnes)) | zeros(word ^ ('\\' * kOnes)) | zeros(word ^ (0x7f * kOnes));
    if (((word & kTops) | below_space | others) != 0) break;
  }
  while (end < text.size() && IsPlain(text[end])) ++end;
  return end - at;
}

void AppendControl(unsigned char octet, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out += kHex[octet >> 4];
  out += kHex[octet & 15];
}

// Four hexadecimal digits at `at`, or -1.
int HexQuad(std::string_view raw, std::size_t at) {
  if (at + 4 > raw.size()) return -1;
  int value = 0;
  const auto [end, error] = std::from_chars(raw.data() + at, raw.data() + at + 4, value, 16);
  return error == std::errc{} && end == raw.data() + at + 4 && raw[at] != '-' ? value : -1;
}

void AppendUtf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// \uXXXX at `at` (of the backslash), a surrogate pair as one; returns how many octets it took.
std::size_t AppendUnicodeEscape(std::string_view raw, std::size_t at, std::string& out) {
  const int first = HexQuad(raw, at + 2);
  if (first < 0) {
    out += raw[at];
    return 1;
  }
  const bool high = first >= 0xd800 && first < 0xdc00;
  if (high && at + 7 < raw.size() && raw[at + 6] == '\\' && raw[at + 7] == 'u') {
    const int second = HexQuad(raw, at + 8);
    if (second >= 0xdc00 && second < 0xe000) {
      AppendUtf8(0x10000U + (static_cast<std::uint32_t>(first - 0xd800) << 10) +
                     static_cast<std::uint32_t>(second - 0xdc00),
                 out);
      return 12;
    }
  }
  AppendUtf8(static_cast<std::uint32_t>(first), out);
  return 6;
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  std::size_t clean = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    at += PlainRun(text, at);
    if (at == text.size()) break;
    const char c = text[at];
    const std::size_t size = SequenceOctets(text, at);
    if (size > 1) {
      at += size;
      continue;
    }
    out.append(text.substr(clean, at - clean));
    if (size == 0) {
      out.append(kReplacement);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      AppendControl(static_cast<unsigned char>(c), out);
    }
    clean = ++at;
  }
  out.append(text.substr(clean));
  out += '"';
}

void AppendNumber(std::uint64_t number, std::string& out) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void AppendHex(ByteView octets, std::string& out) {
  static constexpr std::array<std::array<char, 2>, 256> kPairs = HexPairs();
  const std::size_t begin = out.size();
  out.resize(begin + 2 * octets.size());
  char* to = out.data() + begin;
  for (const std::uint8_t octet : octets) {
    *to++ = kPairs[octet][0];
    *to++ = kPairs[octet][1];
  }
}

std::string UnescapeJson(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    if (raw[at] != '\\' || at + 1 >= raw.size()) {
      out += raw[at++];
      continue;
    }
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    const char name = raw[at + 1];
    if (name == 'u') {
      at += AppendUnicodeEscape(raw, at, out);
    } else if (const auto found = kNames.find(name); found != std::string_view::npos) {
      out += kValues[found];
      at += 2;
    } else {
      out += raw[at++];
    }
  }
  return out;
}

}  // namespace coffer::audit
