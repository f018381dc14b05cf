#include <span>
#include <utility>

#include "coffer/transit/engine.h"
#include "key_lookup.h"

namespace coffer::transit {

Result<DataKey> Engine::GenerateDataKey(const Caller& caller, std::string_view key,
                                        std::int64_t bits, std::int64_t key_version,
                                        ByteView associated_data, ByteView context) {
  if (bits != 128 && bits != 256 && bits != 512) {
    return Fail(Refusal::kDataKeyBits, {.given = bits});
  }
  COFFER_ASSIGN(const auto found, FindForEncryption(keys_, caller, key, std::nullopt));
  if (!associated_data.empty() && !found->Info().associated_data) {
    return Fail(Refusal::kAssociatedDataUnsupported, {.name = std::string(found->Info().name)});
  }
  PlaintextItem item;
  item.plaintext = SecretBytes(static_cast<std::size_t>(bits / 8));
  item.associated_data.assign(associated_data.begin(), associated_data.end());
  item.key_version = key_version;
  item.context.assign(context.begin(), context.end());
  COFFER_TRY(caller.lane->Random(item.plaintext.RevealMutable()));
  COFFER_ASSIGN(auto sealed, EncryptItems(caller, *found, std::span(&item, 1)));
  if (!sealed.front()) return Fail(sealed.front().error());
  return DataKey{std::move(*sealed.front()), std::move(item.plaintext)};
}

}  // namespace coffer::transit
