#pragma once

#include <string>
#include <string_view>

#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/keyed_hash.h"

namespace coffer::audit {

// A device's way to show that two values are the same without showing either: "hmac-sha256:<hex>"
// under the device's salt, as Vault has it. Thread-safe.
class ValueHasher {
 public:
  explicit ValueHasher(const SecretBytes& salt) : hash_(salt) {}

  std::string Hash(std::string_view value) const;
  // Appends the hash with quotes around it.
  void AppendQuoted(std::string_view value, std::string& out) const;

 private:
  crypto::KeyedHash hash_;
};

}  // namespace coffer::audit
