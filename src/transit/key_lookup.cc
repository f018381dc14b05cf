#include "key_lookup.h"

namespace coffer::transit {

namespace {

auto Absent() { return Fail(Code::kInvalid, "encryption key not found"); }

bool IsAbsent(const Result<std::shared_ptr<const keyring::Key>>& found) {
  return !found && found.error().code == Code::kNotFound;
}

}  // namespace

Result<std::shared_ptr<const keyring::Key>> FindForDecryption(keyring::KeyRing& keys,
                                                              const Caller& caller,
                                                              std::string_view name) {
  auto found = keys.Find(caller.worker, caller.mount, name);
  if (IsAbsent(found)) return Absent();
  return found;
}

Result<std::shared_ptr<const keyring::Key>> FindForEncryption(
    keyring::KeyRing& keys, const Caller& caller, std::string_view name,
    std::optional<keyring::KeyType> upsert) {
  auto found = keys.FindForEncryption(caller.worker, caller.mount, name);
  if (!IsAbsent(found)) return found;
  if (!upsert) return Absent();
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
