// OpenSSL's own SHA-256 without the EVP layer around it, although OpenSSL 3 recommends EVP. For the
// short values of look-ups and audit entries EVP's set-up is most of the time: 384 and 150 ns for
// the hash of 40 bytes, 513 and 264 ns for their HMAC; and an EVP context must be allocated for
// each use or shared under a lock.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "coffer/base/secret_bytes.h"
#include "coffer/crypto/digest.h"
#include "coffer/crypto/keyed_hash.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t kBlock = SHA256_CBLOCK;

// None of these calls can fail for a context that was set up.
void Update(SHA256_CTX& context, ByteView data) {
  ::SHA256_Update(&context, data.data(), data.size());
}
Sha256Digest Finish(SHA256_CTX& context) {
  Sha256Digest digest;
  ::SHA256_Final(digest.data(), &context);
  return digest;
}

}  // namespace

Sha256Digest Sha256(ByteView data) {
  SHA256_CTX context;
  ::SHA256_Init(&context);
  Update(context, data);
  return Finish(context);
}

struct Sha256Stream::State {
  SHA256_CTX context;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {
  ::SHA256_Init(&state_->context);
}
Sha256Stream::Sha256Stream(const Sha256Stream& other)
    : state_(std::make_unique<State>(*other.state_)) {}
Sha256Stream& Sha256Stream::operator=(const Sha256Stream& other) {
  *state_ = *other.state_;
  return *this;
}
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(ByteView data) { crypto::Update(state_->context, data); }

Sha256Digest Sha256Stream::Finish() { return crypto::Finish(state_->context); }

// RFC 2104: the hash's state after each of the two padded keys. The hash of every value continues
// from these states.
struct KeyedHash::Impl {
  SHA256_CTX inner;
  SHA256_CTX outer;
};

KeyedHash::KeyedHash(const SecretBytes& key) : impl_(std::make_unique<Impl>()) {
  std::array<std::uint8_t, kBlock> pad{};
  const ByteView octets = key.Reveal();
  if (octets.size() > kBlock) {
    const Sha256Digest digest = Sha256(octets);
    std::copy(digest.begin(), digest.end(), pad.begin());
  } else {
    std::copy(octets.begin(), octets.end(), pad.begin());
  }
  for (std::uint8_t& octet : pad) octet ^= 0x36;
  ::SHA256_Init(&impl_->inner);
  Update(impl_->inner, pad);
  for (std::uint8_t& octet : pad) octet ^= 0x36 ^ 0x5c;
  ::SHA256_Init(&impl_->outer);
  Update(impl_->outer, pad);
  SecureWipe(pad.data(), pad.size());
}

KeyedHash::~KeyedHash() { SecureWipe(impl_.get(), sizeof(Impl)); }

Sha256Digest KeyedHash::Of(ByteView data) const {
  SHA256_CTX context = impl_->inner;
  Update(context, data);
  const Sha256Digest inner = Finish(context);
  context = impl_->outer;
  Update(context, inner);
  return Finish(context);
}

}  // namespace coffer::crypto
