#include "key_lookup.h"

namespace coffer::transit {

Result<std::shared_ptr<const keyring::Key>> FindKey(keyring::KeyRing& keys, const Caller& caller,
                                                    std::string_view name) {
  auto found = keys.Find(caller.worker, caller.mount, name);
  if (!found && found.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, "encryption key not found");
  }
  return found;
}

Result<std::shared_ptr<const keyring::Key>> FindOrCreateKey(
    keyring::KeyRing& keys, const Caller& caller, std::string_view name,
    std::optional<keyring::KeyType> upsert) {
  if (!upsert) return FindKey(keys, caller, name);
  auto found = keys.Find(caller.worker, caller.mount, name);
  if (found || found.error().code != Code::kNotFound) return found;
  COFFER_ASSIGN(const auto key_name, keyring::KeyName::Parse(name));
  keyring::CreateOptions options;
  options.type = *upsert;
  COFFER_ASSIGN(auto created, keys.Create(caller.mount, key_name, options, caller.actor));
  return std::move(created.key);
}

bool EndsRequest(Code code) {
  return code == Code::kTokenLost || code == Code::kUnavailable || code == Code::kInternal;
}

}  // namespace coffer::transit
