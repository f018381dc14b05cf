#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/vault/transit/ciphertext.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = coffer::api::ParseCiphertext(text);
  // An accepted text is a ciphertext: it has the prefix and no more payload than its base64 holds.
  if (parsed && (!text.starts_with("vault:v") || parsed->payload.size() > size)) std::abort();
  return 0;
}
