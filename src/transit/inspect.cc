#include <utility>

#include "key_lookup.h"

namespace coffer::transit {
namespace {

constexpr std::size_t kNonceAndTagOctets = 12 + 16;

Result<Inspection> InspectOne(const keyring::Key& key, const CiphertextItem& item) {
  if (item.version < 0) {
    return Fail(Refusal::kVersionNegative,
                {.purpose = Purpose::kDecryption, .given = item.version});
  }
  const std::int64_t version = item.version == 0 ? 1 : item.version;
  if (version > key.latest_version) {
    return Fail(Refusal::kAboveLatestVersion,
                {.purpose = Purpose::kDecryption, .given = version, .bound = key.latest_version});
  }
  Inspection inspection;
  inspection.version = static_cast<int>(version);
  inspection.latest_version = key.latest_version;
  inspection.type = key.type;
  inspection.needs_rewrap = version != key.latest_version;
  inspection.usable = key.ForDecryption(version).has_value();
  if (key.Info().family == keyring::Family::kRsa) {
    if (item.payload.size() != static_cast<std::size_t>(key.Info().bits / 8)) {
      return Fail(Refusal::kCiphertextLength);
    }
    return inspection;
  }
  if (item.payload.size() < kNonceAndTagOctets) {
    return Fail(Refusal::kCiphertextLength);
  }
  inspection.plaintext_octets = item.payload.size() - kNonceAndTagOctets;
  return inspection;
}

}  // namespace

Result<std::vector<Result<Inspection>>> Engine::Inspect(const Caller& caller, std::string_view key,
                                                        std::span<const CiphertextItem> items) {
  COFFER_ASSIGN(const auto found, FindKey(keys_, caller, key, Purpose::kDecryption));
  COFFER_TRY(CheckEncrypts(*found, Purpose::kDecryption));
  std::vector<Result<Inspection>> results;
  results.reserve(items.size());
  for (const CiphertextItem& item : items) results.push_back(InspectOne(*found, item));
  return results;
}

}  // namespace coffer::transit
