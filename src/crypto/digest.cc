#include "coffer/crypto/digest.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace coffer::crypto {
namespace {

struct NamedAlgorithm {
  HashAlgorithm algorithm;
  std::string_view wire_name;
  const char* openssl_name;
};

constexpr std::array kAlgorithms = {
    NamedAlgorithm{HashAlgorithm::kSha1, "sha1", "SHA1"},
    NamedAlgorithm{HashAlgorithm::kSha224, "sha2-224", "SHA2-224"},
    NamedAlgorithm{HashAlgorithm::kSha256, "sha2-256", "SHA2-256"},
    NamedAlgorithm{HashAlgorithm::kSha384, "sha2-384", "SHA2-384"},
    NamedAlgorithm{HashAlgorithm::kSha512, "sha2-512", "SHA2-512"},
    NamedAlgorithm{HashAlgorithm::kSha3With224, "sha3-224", "SHA3-224"},
    NamedAlgorithm{HashAlgorithm::kSha3With256, "sha3-256", "SHA3-256"},
    NamedAlgorithm{HashAlgorithm::kSha3With384, "sha3-384", "SHA3-384"},
    NamedAlgorithm{HashAlgorithm::kSha3With512, "sha3-512", "SHA3-512"},
};

// OpenSSL fails here only without memory or without its default provider; neither can be answered.
void Require(bool ok) {
  if (!ok) std::abort();
}

// EVP_sha256() and friends look the implementation up on every use; a fetched EVP_MD does not.
// Fetched once and kept for the process's life: OpenSSL's own exit handler may run before ours.
const EVP_MD* FetchedDigest(HashAlgorithm algorithm) {
  static const auto digests = [] {
    std::array<const EVP_MD*, kAlgorithms.size()> fetched{};
    for (const NamedAlgorithm& named : kAlgorithms) {
      const EVP_MD* digest = ::EVP_MD_fetch(nullptr, named.openssl_name, nullptr);
      Require(digest != nullptr);
      fetched[static_cast<std::size_t>(named.algorithm)] = digest;
    }
    return fetched;
  }();
  return digests[static_cast<std::size_t>(algorithm)];
}

}  // namespace

std::optional<HashAlgorithm> ParseHashAlgorithm(std::string_view name) {
  for (const NamedAlgorithm& named : kAlgorithms) {
    if (named.wire_name == name) return named.algorithm;
  }
  return std::nullopt;
}

Bytes Hash(HashAlgorithm algorithm, ByteView data) {
  const EVP_MD* digest = FetchedDigest(algorithm);
  Bytes out(static_cast<std::size_t>(::EVP_MD_get_size(digest)));
  Require(::EVP_Digest(data.data(), data.size(), out.data(), nullptr, digest, nullptr) == 1);
  return out;
}

std::size_t HashSize(HashAlgorithm algorithm) {
  static constexpr std::array<std::size_t, kAlgorithms.size()> kOctets{20, 28, 32, 48, 64,
                                                                       28, 32, 48, 64};
  return kOctets[static_cast<std::size_t>(algorithm)];
}

}  // namespace coffer::crypto
