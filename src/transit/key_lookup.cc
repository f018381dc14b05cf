#include "key_lookup.h"

#include <utility>

namespace coffer::transit {

FoundKey FindKey(keyring::KeyRing& keys, const Caller& caller, std::string_view name,
                 Purpose purpose) {
  auto found = keys.Find(*caller.lane, caller.mount, name);
  if (!found && found.error().refusal == Refusal::kKeyNotFound) {
    return Fail(Refusal::kNoKeyToUse, {.purpose = purpose});
  }
  return found;
}

Result<EncryptionTarget> TargetOf(keyring::KeyRing& keys, const Caller& caller,
                                  std::string_view name) {
  auto found = keys.Find(*caller.lane, caller.mount, name);
  if (found) return EncryptionTarget{std::move(*found)};
  if (found.error().refusal == Refusal::kKeyNotFound) return EncryptionTarget{};
  return Fail(std::move(found).error());
}

FoundKey FindForEncryption(keyring::KeyRing& keys, const Caller& caller, std::string_view name,
                           const std::optional<keyring::CreateOptions>& upsert,
                           const EncryptionTarget* target) {
  EncryptionTarget own;
  if (target == nullptr) {
    COFFER_ASSIGN(own, TargetOf(keys, caller, name));
    target = &own;
  }
  if (target->MustRotate()) {
    return keys.Rotate(caller.mount, name, {"coffer", "rotation required"});
  }
  if (target->Exists()) return target->key;
  if (!upsert) return Fail(Refusal::kNoKeyToUse, {.purpose = Purpose::kEncryption});
  COFFER_ASSIGN(const auto key_name, keyring::KeyName::Parse(name));
  COFFER_ASSIGN(auto created, keys.Create(caller.mount, key_name, *upsert, caller.actor));
  return std::move(created.key);
}

Status CheckContext(const keyring::Key& key, ByteView context) {
  if (!key.derived || !context.empty()) return {};
  return Fail(Refusal::kContextMissing);
}

Status CheckEncrypts(const keyring::Key& key, Purpose purpose) {
  if (key.Info().encrypts) return {};
  return Fail(Refusal::kPurposeUnsupported,
              {.purpose = purpose, .name = std::string(key.Info().name)});
}

bool EndsRequest(Code code) {
  return code == Code::kTokenLost || code == Code::kUnavailable || code == Code::kInternal;
}

}  // namespace coffer::transit
