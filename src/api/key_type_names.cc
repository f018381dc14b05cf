#include "key_type_names.h"

#include <algorithm>
#include <array>
#include <string>

namespace coffer::api {

Result<keyring::KeyType> KeyTypeOf(std::string_view name) {
  static constexpr std::array<std::string_view, 25> kKnownElsewhere = {"chacha20-poly1305",
                                                                       "xchacha20-poly1305",
                                                                       "ed25519",
                                                                       "ecdsa-p256",
                                                                       "ecdsa-p384",
                                                                       "ecdsa-p521",
                                                                       "rsa-2048",
                                                                       "rsa-3072",
                                                                       "rsa-4096",
                                                                       "hmac",
                                                                       "managed_key",
                                                                       "aes128-cmac",
                                                                       "aes192-cmac",
                                                                       "aes256-cmac",
                                                                       "ml-dsa",
                                                                       "slh-dsa",
                                                                       "hybrid",
                                                                       "mldsa-44",
                                                                       "mldsa-65",
                                                                       "mldsa-87",
                                                                       "external-key",
                                                                       "aes128-cbc",
                                                                       "aes256-cbc",
                                                                       "ml-kem",
                                                                       "ed448"};
  if (std::find(kKnownElsewhere.begin(), kKnownElsewhere.end(), name) != kKnownElsewhere.end()) {
    return Fail(Code::kInvalid, "key type " + std::string(name) +
                                    " is not supported by this server: its token holds keys of "
                                    "type aes128-gcm96 and aes256-gcm96");
  }
  return keyring::ParseKeyType(name);
}

}  // namespace coffer::api
