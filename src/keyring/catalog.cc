#include "keyring/catalog.h"

#include <utility>

#include "coffer/storage/table.h"
#include "keyring/row_codec.h"
#include "keyring/token_instance.h"

namespace coffer::keyring {
namespace {

// The number of counters that are kept for keys outside the cache. Each takes some 120 bytes.
constexpr std::size_t kCountersKept = 65'536;
constexpr std::size_t kRetiredRemembered = 4096;

}  // namespace

Catalog::Catalog(storage::Database& database, const CacheLimits& limits, Logger& logger)
    : database_(database),
      logger_(logger),
      cache_(limits.key_bytes, kCountersKept),
      retired_(kRetiredRemembered) {}

Status Catalog::VerifyKey(Token& token, const store::StoredKey& stored) const {
  const auto disabled = [&](const std::string& what) {
    return Fail(Code::kCorrupt, "key is disabled: its stored " + what + " failed its check",
                "key " + stored.key.id.ToUuid() + " (" + stored.key.name + ")");
  };
  COFFER_ASSIGN(const Mac key_mac, token.MetaMac(EncodeKeyRow(database_id_, stored.key)));
  if (!ConstantTimeEqual(key_mac, stored.mac)) return disabled("row");
  for (const auto& [number, version] : stored.key.versions) {
    COFFER_ASSIGN(const Mac mac,
                  token.MetaMac(EncodeVersionRow(stored.key.id, stored.key.Spec(), version)));
    if (!ConstantTimeEqual(mac, version.mac)) return disabled("version " + std::to_string(number));
  }
  return {};
}

Result<std::optional<store::StoredKey>> Catalog::ReadVerified(Token& token, const Id& mount,
                                                              std::string_view name) const {
  COFFER_ASSIGN(auto stored, store::ReadKey(database_, mount, name));
  if (!stored) return Fail(Refusal::kKeyNotFound);
  COFFER_TRY(VerifyKey(token, *stored));
  return stored;
}

bool Catalog::IsNewest(const store::StoredKey& stored) const {
  return database_.AdmitRow(store::KeysShape(), stored.key.id.View(), stored.key.generation);
}

Result<store::StoredKey> Catalog::Load(Token& token, const Id& mount, std::string_view name) const {
  COFFER_ASSIGN(auto stored, ReadVerified(token, mount, name));
  // A generation below one that was seen is a replay, unless the row was read just before a change.
  if (!IsNewest(*stored)) {
    COFFER_ASSIGN(stored, ReadVerified(token, mount, name));
    if (!IsNewest(*stored)) {
      return Fail(Code::kCorrupt,
                  "key is disabled: its stored row was put back to an earlier state",
                  "key " + stored->key.id.ToUuid() + " (" + stored->key.name + ")");
    }
  }
  for (auto& [number, version] : stored->key.versions) {
    if (version.spki.empty()) continue;
    COFFER_ASSIGN(version.public_key, crypto::PublicKey::FromSpki(version.spki));
  }
  return std::move(*stored);
}

Result<std::shared_ptr<const Key>> Catalog::Find(TokenInstance& instance, const Id& mount,
                                                 std::string_view name) {
  KeyCache::Hit hit = cache_.Get(mount, name);
  if (hit.key) return std::move(hit.key);
  COFFER_TRY(instance.Refresh());
  auto stored = Load(instance.GetToken(), mount, name);
  if (!stored && stored.error().code != Code::kNotFound && stored.error().code != Code::kCorrupt) {
    COFFER_TRY(instance.Recover(stored.error()));
    stored = Load(instance.GetToken(), mount, name);
  }
  if (!stored) {
    if (stored.error().code == Code::kCorrupt) {
      logger_.Log(LogLevel::kError, "keyring", stored.error().message,
                  {{"cause", stored.error().cause}});
    }
    return Fail(std::move(stored).error());
  }
  auto key = std::make_shared<Key>(std::move(stored->key));
  cache_.PutLoaded(key, hit.stamp);
  return key;
}

Result<std::set<Bytes>> Catalog::NamedResidents(Token& token) const {
  // A removed row shows only in the sum: the objects of its key must not be destroyed.
  for (const storage::Shard& shard : database_.Shards()) {
    if (shard.table == store::KeysShape().table.name) COFFER_TRY(database_.CheckShard(shard));
  }
  std::set<Bytes> named;
  COFFER_ASSIGN(const auto places, store::AllKeys(database_, nullptr));
  for (const store::MountedName& place : places) {
    const auto stored = Load(token, place.mount, place.name);
    if (!stored && stored.error().code == Code::kCorrupt) {
      return Fail(Code::kCorrupt, "the rows of key " + place.name +
                                      " failed their check, so no object can be said to be "
                                      "without a key: restore the database first");
    }
    if (!stored) return Fail(stored.error());
    for (const auto& [number, version] : stored->key.versions) {
      if (version.custody == Custody::kResident) named.insert(version.locator);
    }
  }
  return named;
}

Result<std::vector<std::string>> Catalog::Names(const Id& mount, std::string_view after,
                                                std::int64_t limit) const {
  return store::Names(database_, mount, after, limit);
}

void Catalog::Retire(const Id& key, int version) {
  retired_.Add({key, version});
  cache_.RemoveCounter(key, version);
}

}  // namespace coffer::keyring
