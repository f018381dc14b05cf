#include "coffer/keyring/orphans.h"

#include "keyring/resident_store.h"

namespace coffer::keyring {

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
