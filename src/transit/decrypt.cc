#include <cstddef>
#include <utility>
#include <vector>

#include "coffer/transit/engine.h"
#include "key_lookup.h"

namespace coffer::transit {
namespace {

Result<SecretBytes> DecryptItem(const Caller& caller, const keyring::Key& key,
                                const CiphertextItem& item) {
  COFFER_TRY(CheckEncrypts(key, Purpose::kDecryption));
  COFFER_ASSIGN(const keyring::KeyVersion* const version, key.ForDecryption(item.version));
  COFFER_TRY(CheckContext(key, item.context));
  if (key.Info().family == keyring::Family::kRsa) {
    return DecryptRsa(caller, key, *version, item);
  }
  return caller.lane->Decrypt(key, *version, item.payload, item.associated_data, item.context);
}

// A ciphertext without a version is of the first.
std::int64_t VersionOf(const CiphertextItem& item) { return item.version == 0 ? 1 : item.version; }

// True if the ciphertext has the version that it would be moved to.
bool IsCurrent(const keyring::Key& key, const CiphertextItem& item) {
  const std::int64_t wanted = item.key_version == 0 ? key.latest_version : item.key_version;
  return VersionOf(item) == wanted && wanted <= key.latest_version;
}

// The ciphertext as it is, if the key may still decrypt it.
Result<Ciphertext> Unchanged(const keyring::Key& key, const CiphertextItem& item) {
  COFFER_TRY(key.ForDecryption(VersionOf(item)));
  return Ciphertext{static_cast<int>(VersionOf(item)), item.payload};
}

}  // namespace

Engine::Decrypted Engine::Decrypt(const Caller& caller, std::string_view key,
                                  std::span<const CiphertextItem> items) {
  COFFER_ASSIGN(const auto found, FindKey(keys_, caller, key, Purpose::kDecryption));
  std::vector<Result<SecretBytes>> results;
  results.reserve(items.size());
  for (const CiphertextItem& item : items) {
    auto plaintext = DecryptItem(caller, *found, item);
    if (!plaintext && EndsRequest(plaintext.error().code)) return Fail(plaintext.error());
    results.push_back(std::move(plaintext));
  }
  return results;
}

// One snapshot serves both halves, so a rotation in between cannot make a rewrap go backwards.
Engine::Encrypted Engine::Rewrap(const Caller& caller, std::string_view key,
                                 std::span<const CiphertextItem> items, bool skip_current) {
  COFFER_ASSIGN(const auto found, FindForEncryption(keys_, caller, key, std::nullopt));
  std::vector<Result<Ciphertext>> results(items.size());
  std::vector<PlaintextItem> opened;
  std::vector<std::size_t> places;
  opened.reserve(items.size());
  places.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (skip_current && IsCurrent(*found, items[i])) {
      results[i] = Unchanged(*found, items[i]);
      continue;
    }
    auto plaintext = DecryptItem(caller, *found, items[i]);
    if (!plaintext) {
      if (EndsRequest(plaintext.error().code)) return Fail(plaintext.error());
      results[i] = Fail(plaintext.error());
      continue;
    }
    opened.push_back({std::move(*plaintext), items[i].associated_data, items[i].key_version,
                      items[i].context, items[i].number});
    places.push_back(i);
  }
  COFFER_ASSIGN(auto sealed, EncryptItems(caller, *found, opened));
  for (std::size_t i = 0; i < sealed.size(); ++i) results[places[i]] = std::move(sealed[i]);
  return results;
}

}  // namespace coffer::transit
