#include "signing.h"

#include <algorithm>
#include <utility>

#include "coffer/crypto/rsa_padding.h"
#include "key_lookup.h"

namespace coffer::transit {
namespace {

using keyring::SignMechanism;

// The token's answer for one version, neither verified nor marshalled.
Result<Bytes> InToken(const Caller& caller, const keyring::Key& key,
                      const keyring::KeyVersion& version, ByteView digest,
                      const SignOptions& options, coffer::Random& random) {
  const auto sign = [&](const SignMechanism& how, ByteView data) {
    return caller.lane->Sign(key, version, how, data);
  };
  switch (key.Info().family) {
    case keyring::Family::kEcdsa:
      return sign({SignMechanism::Kind::kEcdsa}, CutToCurve(key.Info(), digest));
    case keyring::Family::kEd25519:
      return sign({SignMechanism::Kind::kEddsa}, digest);
    default:
      break;
  }
  if (options.padding == SignOptions::Padding::kPkcs1) {
    const Bytes info = options.hash ? crypto::Pkcs1DigestInfo(*options.hash, digest)
                                    : Bytes(digest.begin(), digest.end());
    return sign({SignMechanism::Kind::kRsaPkcs1}, info);
  }
  const int salt = PssSalt(key.Info(), options);
  auto in_token = sign({SignMechanism::Kind::kRsaPss, *options.hash, salt}, digest);
  if (in_token || in_token.error().refusal != Refusal::kHashNotInToken) return in_token;
  // If the token's PSS does not know the hash, the server makes the padding and the token only the
  // raw RSA operation.
  COFFER_ASSIGN(const Bytes block,
                crypto::PssEncode(*options.hash, digest, salt, key.Info().bits, random));
  return sign({SignMechanism::Kind::kRsaRaw}, block);
}

Result<Signature> SignOne(const Caller& caller, const keyring::Key& key, const SignItem& item,
                          const SignOptions& options, const EngineSettings& settings,
                          coffer::Random& random) {
  COFFER_ASSIGN(const auto* const version, options.certificate_request
                                               ? key.ForCertificateRequest(item.key_version)
                                               : key.ForSigning(item.key_version));
  if (!version->public_key) return Fail(Code::kCorrupt, "key version has no public key");
  if (version->custody == keyring::Custody::kPublicOnly) {
    return Fail(Refusal::kPrivatePartMissing, {.purpose = Purpose::kSigning});
  }
  COFFER_ASSIGN(const Bytes digest, DigestToSign(key.Info(), item.input, options));
  COFFER_ASSIGN(Bytes made, InToken(caller, key, *version, digest, options, random));
  const bool ecdsa = key.Info().family == keyring::Family::kEcdsa;
  if (ecdsa && made.size() != 2 * CurveBytes(key.Info())) {
    return Fail(Code::kTokenFailed, "token returned a signature of the wrong length");
  }
  const bool as_der = ecdsa && options.marshaling == SignOptions::Marshaling::kAsn1;
  const bool verified = !ecdsa || settings.verify_ecdsa;
  Bytes der;
  if (ecdsa && (as_der || verified)) der = crypto::EcdsaToDer(made);
  // One wrong RSA or Ed25519 signature gives its key away (docs/adr/0011).
  if (verified &&
      !Verifies(key.Info(), *version->public_key, digest, ecdsa ? der : made, options)) {
    return Fail(Code::kTokenFailed, "token returned a signature that does not verify");
  }
  return Signature{version->info.version, as_der ? std::move(der) : std::move(made)};
}

}  // namespace

Result<std::vector<Result<Signature>>> Engine::Sign(const Caller& caller, std::string_view key,
                                                    std::span<const SignItem> items,
                                                    const SignOptions& options) {
  COFFER_ASSIGN(const auto found, FindKey(keys_, caller, key, Purpose::kSigning));
  COFFER_TRY(CheckSigns(*found, options, Purpose::kSigning));
  std::vector<Result<Signature>> results;
  results.reserve(items.size());
  for (const SignItem& item : items) {
    results.push_back(SignOne(caller, *found, item, options, settings_, random_));
    const auto& one = results.back();
    if (!one && EndsRequest(one.error().code)) return Fail(one.error());
  }
  return results;
}

}  // namespace coffer::transit
