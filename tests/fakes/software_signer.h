#pragma once

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <stdexcept>

#include "coffer/base/bytes.h"

namespace coffer::fakes {

// A P-256 key in memory, which a test signs with instead of a token. Throws std::runtime_error.
class SoftwareSigner final {
 public:
  SoftwareSigner() : key_(::EVP_EC_gen("P-256")) {
    if (key_ == nullptr) throw std::runtime_error("no key");
  }
  ~SoftwareSigner() { ::EVP_PKEY_free(key_); }
  SoftwareSigner(const SoftwareSigner&) = delete;
  SoftwareSigner& operator=(const SoftwareSigner&) = delete;

  Bytes PublicKey() const {
    unsigned char* der = nullptr;
    const int size = ::i2d_PUBKEY(key_, &der);
    Bytes out(der, der + size);
    ::OPENSSL_free(der);
    return out;
  }

  // r || s over the message's SHA-256.
  Bytes Sign(ByteView message) const {
    std::array<unsigned char, 128> der{};
    std::size_t size = der.size();
    EVP_MD_CTX* const context = ::EVP_MD_CTX_new();
    const bool done =
        ::EVP_DigestSignInit(context, nullptr, ::EVP_sha256(), nullptr, key_) == 1 &&
        ::EVP_DigestSign(context, der.data(), &size, message.data(), message.size()) == 1;
    ::EVP_MD_CTX_free(context);
    if (!done) throw std::runtime_error("no signature");
    const unsigned char* at = der.data();
    ECDSA_SIG* const pair = ::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
    Bytes out(64);
    ::BN_bn2binpad(::ECDSA_SIG_get0_r(pair), out.data(), 32);
    ::BN_bn2binpad(::ECDSA_SIG_get0_s(pair), out.data() + 32, 32);
    ::ECDSA_SIG_free(pair);
    return out;
  }

 private:
  EVP_PKEY* key_;
};

}  // namespace coffer::fakes
