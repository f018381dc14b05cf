#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "coffer/base/counters.h"
#include "coffer/pkcs11/types.h"

namespace coffer::pkcs11 {

// The kinds of operation that a token is asked for.
enum class OperationKind : std::uint8_t {
  kEncrypt,
  kDecrypt,
  kSign,
  kVerify,
  kWrapKey,
  kUnwrapKey,
  kDeriveKey,
  kGenerateKey,
  kGenerateKeyPair,
  kGenerateRandom
};
inline constexpr std::size_t kOperationKinds = 10;

std::string_view OperationName(OperationKind kind);  // "encrypt", "generate_key_pair"
// The name that the standard gives the mechanism: "CKM_AES_GCM"; "other" for one that types.h does
// not name.
std::string_view MechanismName(MechanismType mechanism);

// The operations that a module was asked for since it was loaded. A value.
struct Statistics {
  struct Count {
    OperationKind operation = OperationKind::kEncrypt;
    std::string_view mechanism;  // MechanismName's; "none" for random numbers
    std::uint64_t done = 0;
    std::uint64_t failed = 0;  // also where a ciphertext or a signature did not verify
  };
  std::vector<Count> operations;  // those that were asked for
  // The durations of each OperationKind, which is the index.
  std::array<DurationCounts, kOperationKinds> durations{};
  std::uint64_t open_sessions = 0;

  // Sums up over modules.
  void Add(const Statistics& other);
};

}  // namespace coffer::pkcs11
