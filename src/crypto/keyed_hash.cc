// The deprecated low-level functions, on purpose: a keyed state can be copied there as plain
// memory, while an EVP_MAC context is copied through its provider, with locks and allocations that
// cost several times the hash of a short value.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "coffer/crypto/keyed_hash.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace coffer::crypto {
namespace {

constexpr std::size_t kBlockOctets = SHA256_CBLOCK;
using Block = std::array<std::uint8_t, kBlockOctets>;

// The state after one block of the key, each octet XOR `pad` (RFC 2104, section 2).
SHA256_CTX StateAfter(const Block& key, std::uint8_t pad) {
  Block padded;
  std::transform(key.begin(), key.end(), padded.begin(),
                 [pad](std::uint8_t octet) { return static_cast<std::uint8_t>(octet ^ pad); });
  SHA256_CTX state;
  ::SHA256_Init(&state);
  ::SHA256_Update(&state, padded.data(), padded.size());
  ::OPENSSL_cleanse(padded.data(), padded.size());
  return state;
}

}  // namespace

// Never written to after construction: each value is hashed in a copy.
struct KeyedHash::Impl {
  SHA256_CTX inner;
  SHA256_CTX outer;
  ~Impl() { ::OPENSSL_cleanse(this, sizeof *this); }
};

KeyedHash::KeyedHash(const SecretBytes& key) : impl_(std::make_unique<Impl>()) {
  Block block{};
  const ByteView octets = key.Reveal();
  if (octets.size() > block.size()) {
    const Sha256Digest digest = Sha256(octets);
    std::copy(digest.begin(), digest.end(), block.begin());
  } else {
    std::copy(octets.begin(), octets.end(), block.begin());
  }
  impl_->inner = StateAfter(block, 0x36);
  impl_->outer = StateAfter(block, 0x5c);
  ::OPENSSL_cleanse(block.data(), block.size());
}

KeyedHash::~KeyedHash() = default;

Sha256Digest KeyedHash::Of(ByteView data) const {
  Sha256Digest digest;
  SHA256_CTX state = impl_->inner;
  ::SHA256_Update(&state, data.data(), data.size());
  ::SHA256_Final(digest.data(), &state);
  state = impl_->outer;
  ::SHA256_Update(&state, digest.data(), digest.size());
  ::SHA256_Final(digest.data(), &state);
  ::OPENSSL_cleanse(&state, sizeof state);
  return digest;
}

}  // namespace coffer::crypto
