#include "coffer/pkcs11/parameters.h"

#include "cryptoki.h"
#include "raw_bytes.h"

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

}  // namespace

Bytes RsaPssParameters(MechanismType hash, unsigned long salt_octets) {
  CK_RSA_PKCS_PSS_PARAMS parameters{};
  parameters.hashAlg = static_cast<CK_MECHANISM_TYPE>(hash);
  parameters.mgf = Mgf1With(hash);
  parameters.sLen = salt_octets;
  const ByteView raw = RawBytes(parameters);
  return {raw.begin(), raw.end()};
}

Bytes RsaOaepParameters(MechanismType hash) {
  CK_RSA_PKCS_OAEP_PARAMS parameters{};
  parameters.hashAlg = static_cast<CK_MECHANISM_TYPE>(hash);
  parameters.mgf = Mgf1With(hash);
  parameters.source = CKZ_DATA_SPECIFIED;
  const ByteView raw = RawBytes(parameters);
  return {raw.begin(), raw.end()};
}

}  // namespace coffer::pkcs11
