// The engine's functions that manage the keys of a mount. The key ring enforces the rules.

#include "coffer/transit/engine.h"

namespace coffer::transit {

FoundKey Engine::Find(const Caller& caller, std::string_view key) {
  return keys_.Find(*caller.lane, caller.mount, key);
}

Result<std::vector<std::string>> Engine::List(const Caller& caller, std::string_view after,
                                              std::int64_t limit) {
  return keys_.List(caller.mount, after, limit);
}

Result<keyring::KeyRing::Created> Engine::Create(const Caller& caller, const keyring::KeyName& name,
                                                 const keyring::CreateOptions& options) {
  return keys_.Create(caller.mount, name, options, caller.actor);
}

FoundKey Engine::Rotate(const Caller& caller, std::string_view key) {
  return keys_.Rotate(caller.mount, key, caller.actor);
}

FoundKey Engine::Configure(const Caller& caller, std::string_view key,
                           const keyring::ConfigChange& change) {
  return keys_.Configure(caller.mount, key, change);
}

FoundKey Engine::Trim(const Caller& caller, std::string_view key,
                      std::int64_t min_available_version) {
  return keys_.Trim(caller.mount, key, min_available_version);
}

FoundKey Engine::SetSoftDeleted(const Caller& caller, std::string_view key, bool deleted) {
  return keys_.SetSoftDeleted(caller.mount, key, deleted);
}

Status Engine::Delete(const Caller& caller, std::string_view key) {
  return keys_.Delete(caller.mount, key);
}

FoundKey Engine::Import(const Caller& caller, const keyring::KeyName& name,
                        const keyring::CreateOptions& options, bool allow_rotation,
                        const keyring::ImportedMaterial& material) {
  return keys_.Import(caller.mount, name, options, allow_rotation, material, caller.actor);
}

FoundKey Engine::ImportVersion(const Caller& caller, std::string_view key,
                               const keyring::ImportedMaterial& material) {
  return keys_.ImportVersion(caller.mount, key, material, caller.actor);
}

Result<keyring::ImportWrapping> Engine::ImportWrappingKey() { return keys_.ImportWrappingKey(); }

Status Engine::DestroyImportWrappingKey() { return keys_.DestroyImportWrappingKey(); }

Result<Bytes> Engine::Export(const keyring::Key& key, const keyring::KeyVersion& version,
                             const crypto::PublicKey& destination, crypto::HashAlgorithm hash) {
  return keys_.Export(key, version, destination, hash);
}

FoundKey Engine::Agree(const Caller& caller, const keyring::KeyName& name, keyring::KeyType type,
                       const keyring::Key& base, const keyring::KeyVersion& version,
                       const crypto::PublicKey& peer) {
  return keys_.Agree(caller.mount, name, type, base, version, peer, caller.actor);
}

FoundKey Engine::SetCertificates(const Caller& caller, std::string_view key, std::int64_t version,
                                 const crypto::CertificateChain& chain) {
  return keys_.SetCertificates(caller.mount, key, version, chain);
}

Result<Bytes> Engine::Backup(const Caller& caller, std::string_view key) {
  return keys_.Backup(*caller.lane, caller.mount, key);
}

FoundKey Engine::Restore(const Caller& caller, const std::optional<keyring::KeyName>& name,
                         ByteView backup, bool force) {
  return keys_.Restore(caller.mount, name, backup, force);
}

Status Engine::DeleteMount(const Id& mount) { return keys_.DeleteMount(mount); }

}  // namespace coffer::transit
