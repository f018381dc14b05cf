#include <cstddef>
#include <utility>
#include <vector>

#include "coffer/transit/engine.h"
#include "key_lookup.h"

namespace coffer::transit {

Engine::Encrypted EncryptItems(const Caller& caller, const keyring::Key& key,
                               std::span<const PlaintextItem> items) {
  COFFER_TRY(CheckEncrypts(key, Purpose::kEncryption));
  if (key.Info().family == keyring::Family::kRsa) return EncryptRsa(key, items);
  std::vector<Result<Ciphertext>> results(items.size());
  std::vector<keyring::Encryption> work;
  std::vector<std::size_t> places;
  work.reserve(items.size());
  places.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto version = key.ForEncryption(items[i].key_version);
    if (!version) {
      results[i] = Fail(version.error());
      continue;
    }
    if (const Status given = CheckContext(key, items[i].context); !given) {
      results[i] = Fail(given.error());
      continue;
    }
    keyring::Encryption& encryption = work.emplace_back();
    encryption.version = *version;
    encryption.plaintext = items[i].plaintext.Reveal();
    encryption.aad = items[i].associated_data;
    encryption.context = items[i].context;
    places.push_back(i);
  }
  if (!work.empty()) COFFER_TRY(caller.lane->Encrypt(key, work));
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (work[i].error) {
      if (EndsRequest(work[i].error->code)) return Fail(std::move(*work[i].error));
      results[places[i]] = Fail(std::move(*work[i].error));
    } else {
      results[places[i]] = Ciphertext{work[i].version->info.version, std::move(work[i].payload)};
    }
  }
  return results;
}

Result<EncryptionTarget> Engine::FindTarget(const Caller& caller, std::string_view key) {
  return TargetOf(keys_, caller, key);
}

Engine::Encrypted Engine::Encrypt(const Caller& caller, std::string_view key,
                                  std::span<PlaintextItem> items,
                                  const std::optional<keyring::CreateOptions>& upsert,
                                  const EncryptionTarget* target) {
  COFFER_ASSIGN(const auto found, FindForEncryption(keys_, caller, key, upsert, target));
  return EncryptItems(caller, *found, items);
}

}  // namespace coffer::transit
