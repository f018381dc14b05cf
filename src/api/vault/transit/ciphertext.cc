#include "api/vault/transit/ciphertext.h"

#include "coffer/base/base64.h"
#include "coffer/base/parse.h"

namespace coffer::api {

namespace {

struct Split {
  std::int64_t version = 0;
  std::string_view payload;
};

Result<Split> SplitText(std::string_view text, std::string_view what) {
  constexpr std::string_view kPrefix = "vault:v";
  const auto invalid = [&](const char* why) {
    return Fail(Code::kInvalid, "invalid " + std::string(what) + why);
  };
  if (!text.starts_with(kPrefix)) return invalid(": no prefix");
  text.remove_prefix(kPrefix.size());
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return invalid(": wrong number of fields");
  const std::string_view number = text.substr(0, colon);
  const auto version = ParseInt64(number);
  if (!version || std::to_string(*version) != number) {
    return invalid(": version number could not be decoded");
  }
  return Split{*version, text.substr(colon + 1)};
}

// Decodes only a text that encoding could have written, so that a ciphertext has one form: no line
// ends, and no bits after the last byte, which Base64Decode accepts.
Result<Bytes> DecodeCanonical(std::string_view text, bool base64url) {
  auto octets = base64url ? Base64UrlDecode(text) : Base64Decode(text);
  if (!octets) return octets;
  const std::size_t size =
      base64url ? (octets->size() * 8 + 5) / 6 : Base64EncodedSize(octets->size());
  const ByteView tail = ByteView(*octets).last(octets->size() % 3);
  if (text.size() == size &&
      text.ends_with(base64url ? Base64UrlEncode(tail) : Base64Encode(tail))) {
    return octets;
  }
  return Fail(Code::kInvalid, "");
}

}  // namespace

Result<CiphertextText> ParseCiphertext(std::string_view text) {
  COFFER_ASSIGN(const Split split, SplitText(text, "ciphertext"));
  auto payload = DecodeCanonical(split.payload, false);
  if (!payload) return Fail(Code::kInvalid, "invalid ciphertext: could not decode base64");
  return CiphertextText{split.version, std::move(*payload)};
}

Result<CiphertextText> ParseSignature(std::string_view text, std::string_view what,
                                      bool base64url) {
  COFFER_ASSIGN(const Split split, SplitText(text, what));
  auto payload = DecodeCanonical(split.payload, base64url);
  if (!payload) return Fail(Code::kInvalid, "invalid base64 " + std::string(what) + " value");
  return CiphertextText{split.version, std::move(*payload)};
}

std::string CiphertextPrefix(int version) { return "vault:v" + std::to_string(version) + ":"; }

}  // namespace coffer::api
