#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include "coffer/base/bytes.h"

namespace coffer {

// Overwrites memory in a way the compiler may not remove.
void SecureWipe(void* data, std::size_t size) noexcept;

// Secret bytes (PINs, derived look-up keys, plaintext at rest in a buffer). Move-only; wiped on
// destruction and before a moved-from buffer is given back; equality takes the same time wherever
// the difference lies. Not thread-safe. The only way to the content is Reveal(): grep for it.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  // Takes over the buffer: no copy of the content remains elsewhere.
  explicit SecretBytes(Bytes&& bytes) noexcept : bytes_(std::move(bytes)) {}
  static SecretBytes CopyOf(ByteView bytes) {
    return SecretBytes(Bytes(bytes.begin(), bytes.end()));
  }

  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {
    other.bytes_.clear();
  }
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes() { Wipe(); }

  ByteView Reveal() const { return bytes_; }
  MutableBytes RevealMutable() { return bytes_; }
  // Shortens to `size` bytes (no-op if it is not shorter) and wipes what is cut off.
  void Truncate(std::size_t size) noexcept;
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

  friend bool operator==(const SecretBytes& a, const SecretBytes& b);

 private:
  void Wipe() noexcept;
  Bytes bytes_;
};

std::ostream& operator<<(std::ostream&, const SecretBytes&) = delete;

// Constant-time comparison; false at once only where the lengths differ.
bool ConstantTimeEqual(ByteView a, ByteView b) noexcept;

}  // namespace coffer
