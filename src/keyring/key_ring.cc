#include "coffer/keyring/key_ring.h"

#include <utility>

#include "keyring/key_ring_impl.h"

namespace coffer::keyring {

Status KeyRing::Impl::VerifyKey(Token& token, const store::StoredKey& stored) const {
  const auto disabled = [&](const std::string& what) {
    return Fail(Code::kCorrupt, "key is disabled: its stored " + what + " failed its check",
                "key " + stored.key.id.ToUuid() + " (" + stored.key.name + ")");
  };
  COFFER_ASSIGN(const Mac key_mac, token.MetaMac(EncodeKeyRow(database_id, stored.key)));
  if (!ConstantTimeEqual(key_mac, stored.mac)) return disabled("row");
  for (const auto& [number, version] : stored.key.versions) {
    COFFER_ASSIGN(const Mac mac,
                  token.MetaMac(EncodeVersionRow(stored.key.id, stored.key.Spec(), version)));
    if (!ConstantTimeEqual(mac, version.mac)) return disabled("version " + std::to_string(number));
  }
  return {};
}

Result<store::StoredKey> KeyRing::Impl::Load(Token& token, const Id& mount,
                                             std::string_view name) const {
  COFFER_ASSIGN(auto stored, store::ReadKey(database, mount, name));
  if (!stored) return Fail(Refusal::kKeyNotFound);
  COFFER_TRY(VerifyKey(token, *stored));
  for (auto& [number, version] : stored->key.versions) {
    if (version.spki.empty()) continue;
    COFFER_ASSIGN(version.public_key, crypto::PublicKey::FromSpki(version.spki));
  }
  return std::move(*stored);
}

KeyRing::KeyRing(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KeyRing::~KeyRing() = default;

std::vector<storage::Migration> KeyRing::Schema() { return store::Schema(); }

Result<bool> HasState(storage::Database& database) {
  COFFER_ASSIGN(const auto stored, store::ReadState(database));
  return stored.has_value();
}

Result<Id> LoadOrCreateDatabaseId(storage::Database& database, coffer::Random& random) {
  return store::LoadOrCreateDatabaseId(database, random);
}

Result<std::unique_ptr<KeyRing>> KeyRing::Open(storage::Database& database, Custodian& custodian,
                                               Token& custodian_token,
                                               std::vector<std::unique_ptr<Token>> tokens,
                                               const StartPolicy& policy, coffer::Random& random,
                                               const Clock& clock, Logger& logger,
                                               const CacheLimits& limits) {
  auto impl = std::make_unique<Impl>(database, custodian, random, clock, logger, limits);
  impl->tokens = std::move(tokens);
  for (const auto& token : impl->tokens) {
    impl->workers.push_back(std::make_unique<Impl::Worker>(limits.handles));
    impl->workers.back()->token = token.get();
  }
  impl->custodian_worker.token = &custodian_token;
  COFFER_TRY(impl->Start(custodian_token, policy));
  return std::unique_ptr<KeyRing>(new KeyRing(std::move(impl)));
}

Result<std::shared_ptr<const Key>> KeyRing::Find(std::size_t worker, const Id& mount,
                                                 std::string_view name) {
  KeyCache::Hit hit = impl_->cache.Get(mount, name);
  if (hit.key) return std::move(hit.key);
  Impl::Worker& own = impl_->WorkerAt(worker);
  COFFER_TRY(impl_->Refresh(own));
  auto stored = impl_->Load(*own.token, mount, name);
  if (!stored && stored.error().code != Code::kNotFound && stored.error().code != Code::kCorrupt) {
    COFFER_TRY(impl_->Judge(own, stored.error()));
    stored = impl_->Load(*own.token, mount, name);
  }
  if (!stored) {
    if (stored.error().code == Code::kCorrupt) {
      impl_->logger.Log(LogLevel::kError, "keyring", stored.error().message,
                        {{"cause", stored.error().cause}});
    }
    return Fail(std::move(stored).error());
  }
  auto key = std::make_shared<Key>(std::move(stored->key));
  impl_->cache.PutLoaded(key, hit.stamp);
  return key;
}

Result<std::shared_ptr<const Key>> KeyRing::FindForEncryption(std::size_t worker, const Id& mount,
                                                              std::string_view name) {
  COFFER_ASSIGN(auto key, Find(worker, mount, name));
  if (!key->settings.rotation_required || key->settings.soft_deleted) return key;
  return Rotate(mount, name, {"coffer", "rotation required"});
}

Result<std::vector<std::string>> KeyRing::List(const Id& mount, std::string_view after,
                                               std::int64_t limit) {
  return store::Names(impl_->database, mount, after, limit);
}

Result<SecretBytes> KeyRing::DeriveLookupKey(std::string_view label) {
  COFFER_ASSIGN(Mac mac, impl_->workers.front()->token->MetaMac(AsBytes(label)));
  SecretBytes key = SecretBytes::CopyOf(mac);
  SecureWipe(mac.data(), mac.size());
  return key;
}

std::size_t KeyRing::OrphanedResidents() const { return impl_->orphaned_residents; }

bool KeyRing::Ready() const { return impl_->custodian.Health().reachable.load(); }

const Id& KeyRing::DatabaseId() const { return impl_->database_id; }

}  // namespace coffer::keyring
