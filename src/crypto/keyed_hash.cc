#include "coffer/crypto/keyed_hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace coffer::crypto {
namespace {

constexpr std::size_t kBlockOctets = 64;

// OpenSSL fails here only without memory or without its default provider; neither can be answered.
void Require(int done) {
  if (done != 1) std::abort();
}

const EVP_MD* FetchedSha256() {
  static const EVP_MD* const digest = ::EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  if (digest == nullptr) std::abort();
  return digest;
}

class Context {
 public:
  Context() : context_(::EVP_MD_CTX_new()) {
    if (context_ == nullptr) std::abort();
  }
  ~Context() { ::EVP_MD_CTX_free(context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  EVP_MD_CTX* get() const { return context_; }

 private:
  EVP_MD_CTX* context_;
};

}  // namespace

// The state of SHA-256 after the key's inner and outer block.
struct KeyedHash::Impl {
  Context inner;
  Context outer;
};

KeyedHash::KeyedHash(const SecretBytes& key) : impl_(std::make_unique<Impl>()) {
  std::array<std::uint8_t, kBlockOctets> block{};
  if (key.size() > kBlockOctets) {
    const Sha256Digest shortened = Sha256(key.Reveal());
    std::copy(shortened.begin(), shortened.end(), block.begin());
  } else {
    std::copy(key.Reveal().begin(), key.Reveal().end(), block.begin());
  }
  constexpr std::uint8_t kInner = 0x36;
  constexpr std::uint8_t kOuter = 0x5c;
  for (std::uint8_t& octet : block) octet ^= kInner;
  Require(::EVP_DigestInit_ex2(impl_->inner.get(), FetchedSha256(), nullptr));
  Require(::EVP_DigestUpdate(impl_->inner.get(), block.data(), block.size()));
  for (std::uint8_t& octet : block) octet ^= kInner ^ kOuter;
  Require(::EVP_DigestInit_ex2(impl_->outer.get(), FetchedSha256(), nullptr));
  Require(::EVP_DigestUpdate(impl_->outer.get(), block.data(), block.size()));
  SecureWipe(block.data(), block.size());
}

KeyedHash::~KeyedHash() = default;

Sha256Digest KeyedHash::Of(ByteView data) const {
  Context running;
  Sha256Digest digest;
  Require(::EVP_MD_CTX_copy_ex(running.get(), impl_->inner.get()));
  Require(::EVP_DigestUpdate(running.get(), data.data(), data.size()));
  Require(::EVP_DigestFinal_ex(running.get(), digest.data(), nullptr));
  Require(::EVP_MD_CTX_copy_ex(running.get(), impl_->outer.get()));
  Require(::EVP_DigestUpdate(running.get(), digest.data(), digest.size()));
  Require(::EVP_DigestFinal_ex(running.get(), digest.data(), nullptr));
  return digest;
}

}  // namespace coffer::crypto
