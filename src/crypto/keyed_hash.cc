#include "coffer/crypto/keyed_hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

namespace coffer::crypto {
namespace {

// OpenSSL fails here only without memory or without its default provider; neither can be answered.
void Require(bool done) {
  if (!done) std::abort();
}

struct FreeContext {
  void operator()(EVP_MAC_CTX* context) const { ::EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, FreeContext>;

Context KeyedContext(const SecretBytes& key) {
  EVP_MAC* const hmac = ::EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Require(hmac != nullptr);
  Context context(::EVP_MAC_CTX_new(hmac));
  ::EVP_MAC_free(hmac);
  Require(context != nullptr);
  std::array<char, 8> digest{"SHA256"};
  const std::array parameters{
      ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      ::OSSL_PARAM_construct_end()};
  // EVP_MAC_init() takes a null key for "as before"; an empty key needs an address of its own.
  static constexpr std::uint8_t kNothing = 0;
  const ByteView octets = key.Reveal();
  Require(::EVP_MAC_init(context.get(), octets.empty() ? &kNothing : octets.data(), octets.size(),
                         parameters.data()) == 1);
  return context;
}

}  // namespace

// A context costs more to make than a short value to hash: each is used again, and there are as
// many as there were threads at one time.
struct KeyedHash::Impl {
  explicit Impl(const SecretBytes& key) : keyed(KeyedContext(key)) {}

  Context Take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Context context = std::move(idle.back());
        idle.pop_back();
        return context;
      }
    }
    Context context(::EVP_MAC_CTX_dup(keyed.get()));
    Require(context != nullptr);
    return context;
  }
  void GiveBack(Context context) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(context));
  }

  const Context keyed;  // never written to: others are made of it
  std::mutex mutex;
  std::vector<Context> idle;  // guarded by mutex
};

KeyedHash::KeyedHash(const SecretBytes& key) : impl_(std::make_unique<Impl>(key)) {}
KeyedHash::~KeyedHash() = default;

Sha256Digest KeyedHash::Of(ByteView data) const {
  Context context = impl_->Take();
  Sha256Digest digest;
  std::size_t size = 0;
  Require(::EVP_MAC_init(context.get(), nullptr, 0, nullptr) == 1);
  Require(::EVP_MAC_update(context.get(), data.data(), data.size()) == 1);
  Require(::EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1);
  Require(size == digest.size());
  impl_->GiveBack(std::move(context));
  return digest;
}

}  // namespace coffer::crypto
