#include "coffer/base/secret_bytes.h"

#include <openssl/crypto.h>
#include <string.h>

#include <utility>

namespace coffer {

void SecureWipe(void* data, std::size_t size) noexcept {
  // explicit_bzero() promises the same as OPENSSL_cleanse() and is as fast as memset(), which
  // matters because every request wipes its body.
  if (size > 0) ::explicit_bzero(data, size);
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::move(other.bytes_);
    other.bytes_.clear();
  }
  return *this;
}

void SecretBytes::Truncate(std::size_t size) noexcept {
  if (size >= bytes_.size()) return;
  SecureWipe(bytes_.data() + size, bytes_.size() - size);
  bytes_.resize(size);
}

void SecretBytes::Wipe() noexcept { SecureWipe(bytes_.data(), bytes_.size()); }

bool operator==(const SecretBytes& a, const SecretBytes& b) {
  return ConstantTimeEqual(a.bytes_, b.bytes_);
}

bool ConstantTimeEqual(ByteView a, ByteView b) noexcept {
  if (a.size() != b.size()) return false;
  return a.empty() || ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace coffer
