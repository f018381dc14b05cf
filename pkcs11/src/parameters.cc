#include "coffer/pkcs11/parameters.h"

#include "cryptoki.h"

namespace coffer::pkcs11 {
namespace {

CK_RSA_PKCS_MGF_TYPE Mgf1With(MechanismType hash) {
  switch (hash) {
    case MechanismType::kSha224:
      return CKG_MGF1_SHA224;
    case MechanismType::kSha256:
      return CKG_MGF1_SHA256;
    case MechanismType::kSha384:
      return CKG_MGF1_SHA384;
    case MechanismType::kSha512:
      return CKG_MGF1_SHA512;
    default:
      return CKG_MGF1_SHA1;
  }
}

template <typename T>
Bytes OctetsOf(const T& parameters) {
  const auto* const octets = reinterpret_cast<const std::uint8_t*>(&parameters);
  return {octets, octets + sizeof(parameters)};
}

}  // namespace

Bytes RsaPssParameters(MechanismType hash, unsigned long salt_octets) {
  CK_RSA_PKCS_PSS_PARAMS parameters{};
  parameters.hashAlg = static_cast<CK_MECHANISM_TYPE>(hash);
  parameters.mgf = Mgf1With(hash);
  parameters.sLen = salt_octets;
  return OctetsOf(parameters);
}

Bytes RsaOaepParameters(MechanismType hash) {
  CK_RSA_PKCS_OAEP_PARAMS parameters{};
  parameters.hashAlg = static_cast<CK_MECHANISM_TYPE>(hash);
  parameters.mgf = Mgf1With(hash);
  parameters.source = CKZ_DATA_SPECIFIED;
  return OctetsOf(parameters);
}

}  // namespace coffer::pkcs11
