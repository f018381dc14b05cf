#include "key_lookup.h"

namespace coffer::transit {

FoundKey FindKey(keyring::KeyRing& keys, const Caller& caller, std::string_view name,
                 std::string_view absent) {
  auto found = keys.Find(caller.worker, caller.mount, name);
  if (!found && found.error().code == Code::kNotFound) {
    return Fail(Code::kInvalid, std::string(absent));
  }
  return found;
}

FoundKey FindForEncryption(keyring::KeyRing& keys, const Caller& caller, std::string_view name,
                           const std::optional<keyring::CreateOptions>& upsert) {
  auto found = keys.FindForEncryption(caller.worker, caller.mount, name);
  if (found || found.error().code != Code::kNotFound) return found;
  if (!upsert) return Fail(Code::kInvalid, "encryption key not found");
  COFFER_ASSIGN(const auto key_name, keyring::KeyName::Parse(name));
  COFFER_ASSIGN(auto created, keys.Create(caller.mount, key_name, *upsert, caller.actor));
  return std::move(created.key);
}

Status CheckContext(const keyring::Key& key, ByteView context) {
  if (!key.derived || !context.empty()) return {};
  return Fail(Code::kInvalid,
              "missing 'context' for key derivation; the key was created using a derived key, "
              "which means additional, per-request information must be included in order to "
              "perform operations with the key");
}

Status CheckEncrypts(const keyring::Key& key, std::string_view what) {
  if (key.Info().encrypts) return {};
  return Fail(Code::kInvalid, "message " + std::string(what) + " not supported for key type " +
                                  std::string(key.Info().name));
}

bool EndsRequest(Code code) {
  return code == Code::kTokenLost || code == Code::kUnavailable || code == Code::kInternal;
}

}  // namespace coffer::transit
