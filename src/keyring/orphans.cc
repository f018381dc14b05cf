#include "coffer/keyring/orphans.h"

#include "keyring/keyring_store.h"
#include "keyring/resident_store.h"

namespace coffer::keyring {

Result<std::set<Bytes>> NamedResidents(storage::Database& database, KeyRing& keys) {
  std::set<Bytes> named;
  COFFER_ASSIGN(const auto places, store::AllKeys(database, nullptr));
  for (const store::KeyPlace& place : places) {
    const auto key = keys.Find(KeyRing::kCustodianWorker, place.mount, place.name);
    if (!key && key.error().code == Code::kCorrupt) {
      return Fail(Code::kCorrupt, "the rows of key " + place.name +
                                      " failed their check, so no object can be said to be "
                                      "without a key: restore the database first");
    }
    if (!key) return Fail(key.error());
    for (const auto& [number, version] : (*key)->versions) {
      if (version.custody == Custody::kResident) named.insert(version.locator);
    }
  }
  return named;
}

Orphans FindOrphans(const std::vector<TokenObject>& objects, const Id& database,
                    const std::set<Bytes>& named) {
  const std::string ours = ResidentLabel(database);
  Orphans orphans;
  for (const TokenObject& object : objects) {
    if (object.kind == TokenObject::Kind::kProbe) orphans.objects.push_back(object);
    if (object.kind != TokenObject::Kind::kResidentKey) continue;
    if (object.label != ours) {
      ++orphans.of_other_databases;
    } else if (!object.id_octets.empty() && !named.contains(object.id_octets)) {
      orphans.objects.push_back(object);
    }
  }
  return orphans;
}

Status ForgetResident(storage::Database& database, ByteView locator) {
  COFFER_ASSIGN(storage::Transaction transaction, database.Begin());
  COFFER_TRY(store::DeleteResident(transaction, locator));
  return transaction.Commit();
}

}  // namespace coffer::keyring
