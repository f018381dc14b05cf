#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/keyed_hash.h"

namespace coffer::audit {

// A device's way to show that two values are the same without showing either: "hmac-sha256:<hex>"
// under the device's salt, as Vault has it. Thread-safe.
class ValueHasher {
 public:
  explicit ValueHasher(const SecretBytes& salt) : hash_(salt), serial_(NextSerial()) {}

  std::string Hash(std::string_view value) const;
  // With quotes around it.
  void AppendQuoted(std::string_view value, std::string& out) const;
  // No other of this process has it, nor will have.
  std::uint64_t Serial() const { return serial_; }

 private:
  static std::uint64_t NextSerial() {
    static std::atomic<std::uint64_t> next{1};
    return next++;
  }
  crypto::KeyedHash hash_;
  const std::uint64_t serial_;
};

}  // namespace coffer::audit
