#include "keyring/named_residents.h"

namespace coffer::keyring {

Result<std::set<Bytes>> NamedResidents(
    storage::Database& database,
    const std::function<Result<std::shared_ptr<const Key>>(const store::KeyPlace&)>& load) {
  std::set<Bytes> named;
  COFFER_ASSIGN(const auto places, store::AllKeys(database, nullptr));
  for (const store::KeyPlace& place : places) {
    const auto key = load(place);
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

}  // namespace coffer::keyring
