#include "signing.h"

#include <algorithm>
#include <utility>

#include "coffer/crypto/rsa_padding.h"
#include "key_lookup.h"

namespace coffer::transit {
namespace {

using keyring::SignMechanism;

// The token's answer for one version, not marshalled and not yet verified.
Result<Bytes> InToken(keyring::KeyRing& keys, const Caller& caller, const keyring::Key& key,
                      const keyring::KeyVersion& version, ByteView digest,
                      const SignOptions& options, coffer::Random& random) {
  const auto sign = [&](const SignMechanism& how, ByteView data) {
    return keys.Sign(caller.worker, key, version, how, data);
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
  if (in_token || in_token.error().code != Code::kInvalid) return in_token;
  // A hash that the token's PSS does not know: the padding is made here, the key's part there.
  COFFER_ASSIGN(const Bytes block,
                crypto::PssEncode(*options.hash, digest, salt, key.Info().bits, random));
  return sign({SignMechanism::Kind::kRsaRaw}, block);
}

bool IsEcdsa(const keyring::Key& key) { return key.Info().family == keyring::Family::kEcdsa; }

// What the token answered for one item. A token that fails between reading the key and answering
// gives away an RSA or Ed25519 key with one wrong signature: none leaves unverified.
struct Unverified {
  const keyring::KeyVersion* version = nullptr;
  Bytes digest;
  Bytes octets;
  bool verifies = false;
};

Result<Unverified> SignOne(keyring::KeyRing& keys, const Caller& caller, const keyring::Key& key,
                           const SignItem& item, const SignOptions& options,
                           coffer::Random& random) {
  COFFER_ASSIGN(const auto* const version, key.ForSigning(item.key_version));
  if (!version->public_key) return Fail(Code::kCorrupt, "key version has no public key");
  if (version->custody == keyring::Custody::kPublicOnly) {
    return Fail(Code::kInvalid, "requested version for signing does not contain a private part");
  }
  COFFER_ASSIGN(Bytes digest, DigestToSign(key.Info(), item.input, options));
  COFFER_ASSIGN(Bytes octets, InToken(keys, caller, key, *version, digest, options, random));
  if (IsEcdsa(key)) return Unverified{version, std::move(digest), std::move(octets)};
  const bool good = Verifies(key.Info(), *version->public_key, digest, octets, options);
  return Unverified{version, {}, std::move(octets), good};  // an Ed25519 "digest" is the message
}

// All of a key version at once: a check in a batch takes little more than half the time. A key that
// signs much gets a table for it, made where no request waits.
void VerifyEcdsa(keyring::KeyRing& keys, std::vector<Result<Unverified>>& results) {
  std::vector<Unverified*> made;
  made.reserve(results.size());
  for (auto& one : results) {
    if (one) made.push_back(&*one);
  }
  std::sort(made.begin(), made.end(), [](const Unverified* one, const Unverified* other) {
    return one->version->info.version < other->version->info.version;
  });
  std::vector<crypto::SignedDigest> batch;
  for (auto first = made.begin(); first != made.end();) {
    const auto end = std::find_if(first, made.end(), [first](const Unverified* one) {
      return one->version != (*first)->version;
    });
    batch.clear();
    for (auto at = first; at != end; ++at) batch.push_back({(*at)->digest, (*at)->octets});
    const crypto::PublicKey::Shared& key = (*first)->version->public_key;
    key->ConfirmEcdsa(batch);
    if (key->TableIsDue()) keys.RunLater([key] { key->MakeTable(); });
    for (const crypto::SignedDigest& one : batch) (*first++)->verifies = one.confirmed;
  }
}

Result<Signature> Answer(const keyring::Key& key, const SignOptions& options,
                         Result<Unverified> made) {
  if (!made) return Fail(std::move(made.error()));
  if (!made->verifies) {
    return Fail(Code::kTokenFailed, "token returned a signature that does not verify");
  }
  if (IsEcdsa(key) && options.marshaling == SignOptions::Marshaling::kAsn1) {
    made->octets = crypto::EcdsaToDer(made->octets);
  }
  return Signature{made->version->info.version, std::move(made->octets)};
}

}  // namespace

Result<std::vector<Result<Signature>>> Engine::Sign(const Caller& caller, std::string_view key,
                                                    std::span<const SignItem> items,
                                                    const SignOptions& options) {
  COFFER_ASSIGN(const auto found, FindKey(keys_, caller, key, "signing key not found"));
  COFFER_TRY(CheckSigns(*found, options, "signing"));
  std::vector<Result<Unverified>> made;
  made.reserve(items.size());
  for (const SignItem& item : items) {
    auto one = SignOne(keys_, caller, *found, item, options, random_);
    if (!one && EndsRequest(one.error().code)) return Fail(std::move(one.error()));
    made.push_back(std::move(one));
  }
  if (IsEcdsa(*found)) VerifyEcdsa(keys_, made);
  std::vector<Result<Signature>> results;
  results.reserve(items.size());
  for (auto& one : made) results.push_back(Answer(*found, options, std::move(one)));
  return results;
}

}  // namespace coffer::transit
