#include <utility>

#include "key_lookup.h"
#include "signing.h"

namespace coffer::transit {
namespace {

// DER whatever the client's marshaling; nothing where a JWS signature has the wrong length, which
// Vault calls malformed.
Result<Bytes> ToDer(const keyring::KeyTypeInfo& info, ByteView signature,
                    const SignOptions& options) {
  const auto width = static_cast<std::size_t>((info.bits + 7) / 8);
  if (options.marshaling == SignOptions::Marshaling::kJws) {
    if (signature.size() != 2 * width) {
      return Fail(Refusal::kSignatureMalformed);
    }
    return crypto::EcdsaToDer(signature);
  }
  COFFER_TRY(crypto::EcdsaFromDer(signature, width));
  return Bytes(signature.begin(), signature.end());
}

Result<bool> VerifyOne(const keyring::Key& key, const VerifyItem& item,
                       const SignOptions& options) {
  COFFER_ASSIGN(const auto* const version, key.ForVerification(item.version));
  if (!version->public_key) return Fail(Code::kCorrupt, "key version has no public key");
  COFFER_ASSIGN(const Bytes digest, DigestToSign(key.Info(), item.input, options));
  if (key.Info().family != keyring::Family::kEcdsa) {
    return Verifies(key.Info(), *version->public_key, digest, item.signature, options);
  }
  COFFER_ASSIGN(const Bytes der, ToDer(key.Info(), item.signature, options));
  return Verifies(key.Info(), *version->public_key, digest, der, options);
}

}  // namespace

Result<std::vector<Result<bool>>> Engine::Verify(const Caller& caller, std::string_view key,
                                                 std::span<const VerifyItem> items,
                                                 const SignOptions& options) {
  COFFER_ASSIGN(const auto found, FindKey(keys_, caller, key, Purpose::kVerification));
  COFFER_TRY(CheckSigns(*found, options, Purpose::kVerification));
  std::vector<Result<bool>> results;
  results.reserve(items.size());
  for (const VerifyItem& item : items) results.push_back(VerifyOne(*found, item, options));
  return results;
}

}  // namespace coffer::transit
