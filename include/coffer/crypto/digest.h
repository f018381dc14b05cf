#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/secret_bytes.h"

namespace coffer::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;

// The SHA-256 hash (FIPS 180-4).
Sha256Digest Sha256(ByteView data);

// Computes SHA-256 over several pieces. Not thread-safe; Finish() ends the object's use. A copy
// continues from the same state.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(const Sha256Stream& other);
  Sha256Stream& operator=(const Sha256Stream& other);
  ~Sha256Stream();
  void Update(ByteView data);
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The digests that the API offers without a key (FIPS 180-4 and 202).
enum class HashAlgorithm {
  kSha1,
  kSha224,
  kSha256,
  kSha384,
  kSha512,
  kSha3With224,
  kSha3With256,
  kSha3With384,
  kSha3With512
};

// The wire names: "sha1", "sha2-224" ... "sha3-512"; nothing for any other word.
std::optional<HashAlgorithm> ParseHashAlgorithm(std::string_view name);

Bytes Hash(HashAlgorithm algorithm, ByteView data);
// The length of a digest, in bytes.
std::size_t HashSize(HashAlgorithm algorithm);

}  // namespace coffer::crypto
