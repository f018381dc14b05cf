#include "coffer/base/base64.h"

#include <array>
#include <cstdint>

namespace coffer {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNotInAlphabet = 0xff;

constexpr std::array<std::uint8_t, 256> MakeDecodeTable() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNotInAlphabet);
  for (std::uint8_t i = 0; i < 64; ++i) table[static_cast<std::uint8_t>(kAlphabet[i])] = i;
  return table;
}

constexpr auto kDecodeTable = MakeDecodeTable();

std::uint8_t Sextet(char c) { return kDecodeTable[static_cast<std::uint8_t>(c)]; }

auto Illegal(std::size_t offset) {
  return Fail(Refusal::kNotBase64, {.given = static_cast<std::int64_t>(offset)});
}

bool IsNewline(char c) { return c == '\r' || c == '\n'; }

// The general path: newlines, padding and every kind of error. Continues at `pos`, a multiple of
// whole quanta.
Result<Bytes> DecodeSlow(std::string_view text, std::size_t pos, Bytes out) {
  while (true) {
    std::array<std::uint8_t, 4> quantum{};
    std::size_t have = 0;
    std::size_t padding_at = std::string_view::npos;
    while (have < 4) {
      if (pos == text.size()) {
        if (have == 0) return out;
        return Illegal(pos - have);  // Go counts back to the start of the incomplete quantum
      }
      const char c = text[pos++];
      if (IsNewline(c)) continue;
      if (c == '=') {
        padding_at = pos - 1;
        break;
      }
      const std::uint8_t value = Sextet(c);
      if (value == kNotInAlphabet) return Illegal(pos - 1);
      quantum[have++] = value;
    }
    if (padding_at != std::string_view::npos) {
      if (have < 2) return Illegal(padding_at);
      if (have == 2) {
        while (pos < text.size() && IsNewline(text[pos])) ++pos;
        if (pos == text.size()) return Illegal(text.size());
        if (text[pos] != '=') return Illegal(pos - 1);  // sic: Go names the byte before
        ++pos;
      }
      while (pos < text.size() && IsNewline(text[pos])) ++pos;
      if (pos != text.size()) return Illegal(pos);
    }
    const std::uint32_t bits = (static_cast<std::uint32_t>(quantum[0]) << 18) |
                               (static_cast<std::uint32_t>(quantum[1]) << 12) |
                               (static_cast<std::uint32_t>(quantum[2]) << 6) | quantum[3];
    out.push_back(static_cast<std::uint8_t>(bits >> 16));
    if (have > 2) out.push_back(static_cast<std::uint8_t>(bits >> 8));
    if (have > 3) out.push_back(static_cast<std::uint8_t>(bits));
    if (padding_at != std::string_view::npos) return out;
  }
}

}  // namespace

std::size_t Base64EncodedSize(std::size_t size) { return (size + 2) / 3 * 4; }

void Base64Append(ByteView bytes, std::string& out) {
  std::size_t at = out.size();
  out.resize(at + Base64EncodedSize(bytes.size()));
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t bits = (static_cast<std::uint32_t>(bytes[i]) << 16) |
                               (static_cast<std::uint32_t>(bytes[i + 1]) << 8) | bytes[i + 2];
    out[at++] = kAlphabet[bits >> 18];
    out[at++] = kAlphabet[(bits >> 12) & 63];
    out[at++] = kAlphabet[(bits >> 6) & 63];
    out[at++] = kAlphabet[bits & 63];
  }
  if (i < bytes.size()) {
    const bool two = i + 2 == bytes.size();
    const std::uint32_t bits = (static_cast<std::uint32_t>(bytes[i]) << 16) |
                               (two ? static_cast<std::uint32_t>(bytes[i + 1]) << 8 : 0);
    out[at++] = kAlphabet[bits >> 18];
    out[at++] = kAlphabet[(bits >> 12) & 63];
    out[at++] = two ? kAlphabet[(bits >> 6) & 63] : '=';
    out[at++] = '=';
  }
}

std::string Base64Encode(ByteView bytes) {
  std::string out;
  Base64Append(bytes, out);
  return out;
}

Result<Bytes> Base64Decode(std::string_view text) {
  // The common case by whole quanta of the alphabet; the slow path takes what is left.
  Bytes out(text.size() / 4 * 3);
  out.reserve(out.size() + 3);
  std::size_t pos = 0;
  std::size_t made = 0;
  for (; pos + 4 <= text.size(); pos += 4) {
    const std::uint8_t a = Sextet(text[pos]);
    const std::uint8_t b = Sextet(text[pos + 1]);
    const std::uint8_t c = Sextet(text[pos + 2]);
    const std::uint8_t d = Sextet(text[pos + 3]);
    if (((a | b | c | d) & 0xc0) != 0)
      break;  // sextets use six bits; kNotInAlphabet sets the others
    const std::uint32_t bits = (static_cast<std::uint32_t>(a) << 18) |
                               (static_cast<std::uint32_t>(b) << 12) |
                               (static_cast<std::uint32_t>(c) << 6) | d;
    out[made] = static_cast<std::uint8_t>(bits >> 16);
    out[made + 1] = static_cast<std::uint8_t>(bits >> 8);
    out[made + 2] = static_cast<std::uint8_t>(bits);
    made += 3;
  }
  out.resize(made);
  return DecodeSlow(text, pos, std::move(out));
}

std::string Base64UrlEncode(ByteView bytes) {
  std::string out = Base64Encode(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return out;
}

Result<Bytes> Base64UrlDecode(std::string_view text) {
  std::string standard(text);
  for (std::size_t i = 0; i < standard.size(); ++i) {
    char& c = standard[i];
    if (c == '+' || c == '/' || c == '=') return Illegal(i);
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  if (standard.size() % 4 == 1) return Illegal(standard.size() - 1);
  while (standard.size() % 4 != 0) standard += '=';
  return Base64Decode(standard);
}

}  // namespace coffer
