#include "coffer/pkcs11/statistics.h"

#include <algorithm>

#include "operation_counters.h"

namespace coffer::pkcs11 {
namespace {

struct Named {
  MechanismType mechanism;
  std::string_view name;
};

constexpr std::array kNames{
    Named{MechanismType::kRsaPkcsKeyPairGen, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
    Named{MechanismType::kRsaPkcs, "CKM_RSA_PKCS"},
    Named{MechanismType::kRsaX509, "CKM_RSA_X_509"},
    Named{MechanismType::kRsaPkcsOaep, "CKM_RSA_PKCS_OAEP"},
    Named{MechanismType::kRsaPkcsPss, "CKM_RSA_PKCS_PSS"},
    Named{MechanismType::kSha1, "CKM_SHA_1"},
    Named{MechanismType::kSha224, "CKM_SHA224"},
    Named{MechanismType::kSha256, "CKM_SHA256"},
    Named{MechanismType::kSha384, "CKM_SHA384"},
    Named{MechanismType::kSha512, "CKM_SHA512"},
    Named{MechanismType::kSha1Hmac, "CKM_SHA_1_HMAC"},
    Named{MechanismType::kSha224Hmac, "CKM_SHA224_HMAC"},
    Named{MechanismType::kSha256Hmac, "CKM_SHA256_HMAC"},
    Named{MechanismType::kSha384Hmac, "CKM_SHA384_HMAC"},
    Named{MechanismType::kSha512Hmac, "CKM_SHA512_HMAC"},
    Named{MechanismType::kGenericSecretKeyGen, "CKM_GENERIC_SECRET_KEY_GEN"},
    Named{MechanismType::kEcKeyPairGen, "CKM_EC_KEY_PAIR_GEN"},
    Named{MechanismType::kEcdsa, "CKM_ECDSA"},
    Named{MechanismType::kEcdh1Derive, "CKM_ECDH1_DERIVE"},
    Named{MechanismType::kEddsa, "CKM_EDDSA"},
    Named{MechanismType::kEcEdwardsKeyPairGen, "CKM_EC_EDWARDS_KEY_PAIR_GEN"},
    Named{MechanismType::kAesKeyGen, "CKM_AES_KEY_GEN"},
    Named{MechanismType::kAesEcb, "CKM_AES_ECB"},
    Named{MechanismType::kAesCbc, "CKM_AES_CBC"},
    Named{MechanismType::kAesCbcPad, "CKM_AES_CBC_PAD"},
    Named{MechanismType::kAesGcm, "CKM_AES_GCM"},
    Named{MechanismType::kAesCmac, "CKM_AES_CMAC"},
    Named{MechanismType::kAesEcbEncryptData, "CKM_AES_ECB_ENCRYPT_DATA"},
    Named{MechanismType::kChaCha20KeyGen, "CKM_CHACHA20_KEY_GEN"},
    Named{MechanismType::kAesKeyWrap, "CKM_AES_KEY_WRAP"},
    Named{MechanismType::kAesKeyWrapPad, "CKM_AES_KEY_WRAP_PAD"},
    Named{MechanismType::kAesKeyWrapKwp, "CKM_AES_KEY_WRAP_KWP"},
    Named{MechanismType::kChaCha20Poly1305, "CKM_CHACHA20_POLY1305"},
    Named{MechanismType::kHkdfDerive, "CKM_HKDF_DERIVE"},
    Named{MechanismType::kHkdfKeyGen, "CKM_HKDF_KEY_GEN"},
};
static_assert(kNames.size() < kMechanismRows);

// Row 0 is "other": names begin at row 1.
std::string_view RowName(OperationKind kind, std::size_t row) {
  if (kind == OperationKind::kGenerateRandom) return "none";
  return row == 0 ? "other" : kNames[row - 1].name;
}

}  // namespace

std::size_t MechanismIndex(MechanismType mechanism) {
  const auto* const found = std::ranges::find(kNames, mechanism, &Named::mechanism);
  return found == kNames.end() ? 0 : static_cast<std::size_t>(found - kNames.begin()) + 1;
}

std::string_view MechanismName(MechanismType mechanism) {
  const std::size_t row = MechanismIndex(mechanism);
  return row == 0 ? "other" : kNames[row - 1].name;
}

std::string_view OperationName(OperationKind kind) {
  switch (kind) {
    case OperationKind::kEncrypt:
      return "encrypt";
    case OperationKind::kDecrypt:
      return "decrypt";
    case OperationKind::kSign:
      return "sign";
    case OperationKind::kVerify:
      return "verify";
    case OperationKind::kWrapKey:
      return "wrap_key";
    case OperationKind::kUnwrapKey:
      return "unwrap_key";
    case OperationKind::kDeriveKey:
      return "derive_key";
    case OperationKind::kGenerateKey:
      return "generate_key";
    case OperationKind::kGenerateKeyPair:
      return "generate_key_pair";
    case OperationKind::kGenerateRandom:
      break;
  }
  return "generate_random";
}

void OperationCounters::AddTo(Statistics& sum) const {
  Statistics own;
  for (std::size_t kind = 0; kind < kOperationKinds; ++kind) {
    for (std::size_t row = 0; row < kMechanismRows; ++row) {
      const std::uint64_t done = rows_[kind][row].done.Value();
      const std::uint64_t failed = rows_[kind][row].failed.Value();
      if (done + failed == 0) continue;
      const auto operation = static_cast<OperationKind>(kind);
      own.operations.push_back({operation, RowName(operation, row), done, failed});
    }
    own.durations[kind] = durations_[kind].Counts();
  }
  own.open_sessions = open_sessions.load(std::memory_order_relaxed);
  sum.Add(own);
}

void Statistics::Add(const Statistics& other) {
  for (const Count& count : other.operations) {
    const auto found = std::find_if(operations.begin(), operations.end(), [&](const Count& known) {
      return known.operation == count.operation && known.mechanism == count.mechanism;
    });
    if (found == operations.end()) {
      operations.push_back(count);
    } else {
      found->done += count.done;
      found->failed += count.failed;
    }
  }
  for (std::size_t i = 0; i < durations.size(); ++i) durations[i].Add(other.durations[i]);
  open_sessions += other.open_sessions;
}

}  // namespace coffer::pkcs11
