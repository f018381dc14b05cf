// RSA-OAEP with SHA-256, MGF1-SHA-256 and an empty label, as Vault does it.

#include <utility>

#include "coffer/crypto/rsa_padding.h"
#include "key_lookup.h"

namespace coffer::transit {
namespace {

constexpr crypto::HashAlgorithm kOaepHash = crypto::HashAlgorithm::kSha256;

auto NotAead(const keyring::Key& key, std::size_t number) {
  return Fail(Refusal::kItemAssociatedDataUnsupported,
              {.given = static_cast<std::int64_t>(number), .name = std::string(key.Info().name)});
}

Result<Ciphertext> EncryptOne(const keyring::Key& key, const PlaintextItem& item) {
  if (!item.associated_data.empty()) return NotAead(key, item.number);
  COFFER_ASSIGN(const auto* const version, key.ForEncryption(item.key_version));
  if (!version->public_key) return Fail(Code::kCorrupt, "key version has no public key");
  COFFER_ASSIGN(Bytes payload,
                version->public_key->EncryptOaep(kOaepHash, item.plaintext.Reveal()));
  return Ciphertext{version->info.version, std::move(payload)};
}

}  // namespace

Engine::Encrypted EncryptRsa(const keyring::Key& key, std::span<const PlaintextItem> items) {
  std::vector<Result<Ciphertext>> results;
  results.reserve(items.size());
  for (const PlaintextItem& item : items) results.push_back(EncryptOne(key, item));
  return results;
}

Result<SecretBytes> DecryptRsa(const Caller& caller, const keyring::Key& key,
                               const keyring::KeyVersion& version, const CiphertextItem& item) {
  if (!item.associated_data.empty()) return NotAead(key, item.number);
  COFFER_ASSIGN(const SecretBytes block, caller.lane->RsaDecrypt(key, version, item.payload));
  return crypto::OaepDecode(kOaepHash, block);
}

}  // namespace coffer::transit
