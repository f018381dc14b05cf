#include "signing.h"

#include <algorithm>

#include "coffer/crypto/rsa_padding.h"

namespace coffer::transit {

Status CheckSigns(const keyring::Key& key, const SignOptions& options, Purpose purpose) {
  const keyring::KeyTypeInfo& info = key.Info();
  if (!info.signs) {
    return Fail(Refusal::kPurposeUnsupported, {.purpose = purpose, .name = std::string(info.name)});
  }
  // Vault checks both for every type, although only RSA keys have a padding.
  const bool pkcs1 = options.padding == SignOptions::Padding::kPkcs1;
  if (!options.hash && !(options.prehashed && pkcs1)) return Fail(Refusal::kHashNoneUnsupported);
  if (info.family != keyring::Family::kRsa || pkcs1) return {};
  const std::int64_t salt = options.salt_octets;
  if (salt < SignOptions::kSaltHash || salt > crypto::PssMaxSalt(*options.hash, info.bits)) {
    return Fail(Refusal::kSaltLength, {.given = salt});
  }
  return {};
}

Result<Bytes> DigestToSign(const keyring::KeyTypeInfo& info, ByteView input,
                           const SignOptions& options) {
  if (info.family == keyring::Family::kEd25519) return Bytes(input.begin(), input.end());
  if (!options.prehashed) return crypto::Hash(*options.hash, input);
  const auto given = static_cast<std::int64_t>(input.size());
  if (info.family == keyring::Family::kEcdsa) {
    // Vault takes digests of any length here, whatever hash is named.
    if (input.empty() || input.size() > 64) {
      return Fail(Refusal::kDigestLength, {.given = given});
    }
  } else if (options.hash && input.size() != crypto::HashSize(*options.hash)) {
    const auto wanted = static_cast<std::int64_t>(crypto::HashSize(*options.hash));
    return Fail(Refusal::kDigestOfOtherLength, {.given = given, .bound = wanted});
  } else if (!options.hash && input.size() > static_cast<std::size_t>(info.bits / 8 - 11)) {
    return Fail(Refusal::kDigestTooLong, {.given = given});
  }
  return Bytes(input.begin(), input.end());
}

std::size_t CurveBytes(const keyring::KeyTypeInfo& info) {
  return static_cast<std::size_t>((info.bits + 7) / 8);
}

ByteView CutToCurve(const keyring::KeyTypeInfo& info, ByteView digest) {
  return digest.first(std::min(digest.size(), CurveBytes(info)));
}

int PssSalt(const keyring::KeyTypeInfo& info, const SignOptions& options) {
  if (options.salt_octets == SignOptions::kSaltAuto) {
    return crypto::PssMaxSalt(*options.hash, info.bits);
  }
  if (options.salt_octets == SignOptions::kSaltHash) {
    return static_cast<int>(crypto::HashSize(*options.hash));
  }
  return static_cast<int>(options.salt_octets);
}

bool Verifies(const keyring::KeyTypeInfo& info, const crypto::PublicKey& key, ByteView digest,
              ByteView signature, const SignOptions& options) {
  switch (info.family) {
    case keyring::Family::kEcdsa:
      return key.VerifyEcdsa(digest, signature);
    case keyring::Family::kEd25519:
      return key.VerifyEd25519(digest, signature);
    default:
      break;
  }
  if (options.padding == SignOptions::Padding::kPkcs1) {
    return key.VerifyPkcs1(options.hash, digest, signature);
  }
  std::optional<int> salt;
  if (options.salt_octets != SignOptions::kSaltAuto) salt = PssSalt(info, options);
  return key.VerifyPss(*options.hash, salt, digest, signature);
}

}  // namespace coffer::transit
