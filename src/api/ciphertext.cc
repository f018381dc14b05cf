#include "ciphertext.h"

#include "coffer/base/base64.h"
#include "coffer/base/parse.h"

namespace coffer::api {

Result<CiphertextText> ParseCiphertext(std::string_view text) {
  constexpr std::string_view kPrefix = "vault:v";
  if (!text.starts_with(kPrefix)) return Fail(Code::kInvalid, "invalid ciphertext: no prefix");
  text.remove_prefix(kPrefix.size());
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return Fail(Code::kInvalid, "invalid ciphertext: wrong number of fields");
  }
  const auto version = ParseInt64(text.substr(0, colon));
  if (!version) {
    return Fail(Code::kInvalid, "invalid ciphertext: version number could not be decoded");
  }
  auto payload = Base64Decode(text.substr(colon + 1));
  if (!payload) return Fail(Code::kInvalid, "invalid ciphertext: could not decode base64");
  return CiphertextText{*version, std::move(*payload)};
}

std::string CiphertextPrefix(int version) { return "vault:v" + std::to_string(version) + ":"; }

}  // namespace coffer::api
