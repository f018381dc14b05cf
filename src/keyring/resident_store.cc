#include "keyring/resident_store.h"

#include <utility>

#include "keyring/keyring_store.h"

namespace coffer::keyring::store {

using storage::Statement;
using storage::Transaction;

Status InsertResident(Transaction& transaction, const ResidentRow& row) {
  COFFER_ASSIGN(Statement insert,
                transaction.Prepare("INSERT INTO resident_objects (locator, key, version, state)"
                                    " VALUES (?1, ?2, ?3, ?4)"));
  insert.Bind(0, ByteView(row.locator))
      .Bind(1, row.key.View())
      .Bind(2, std::int64_t{row.version})
      .Bind(3, static_cast<std::int64_t>(row.state));
  return Execute(insert);
}

Status SetResidentState(Transaction& transaction, ByteView locator, ResidentState state) {
  COFFER_ASSIGN(Statement update,
                transaction.Prepare("UPDATE resident_objects SET state = ?2 WHERE locator = ?1"));
  update.Bind(0, locator).Bind(1, static_cast<std::int64_t>(state));
  return Execute(update);
}

Status DeleteResident(Transaction& transaction, ByteView locator) {
  COFFER_ASSIGN(Statement remove,
                transaction.Prepare("DELETE FROM resident_objects WHERE locator = ?1"));
  remove.Bind(0, locator);
  return Execute(remove);
}

Result<std::vector<ResidentRow>> Residents(storage::Database& database) {
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(Statement rows,
                reader.Prepare("SELECT locator, key, version, state FROM resident_objects"));
  std::vector<ResidentRow> residents;
  while (true) {
    COFFER_ASSIGN(const bool more, rows.Step());
    if (!more) return residents;
    const Bytes id = rows.Blob(1);
    const auto key = Id::FromBytes(id);
    const std::int64_t state = rows.Int(3);
    if (!key || state < 1 || state > 3) {
      return Fail(Code::kCorrupt, "stored resident object cannot be read");
    }
    residents.push_back(
        {rows.Blob(0), *key, static_cast<int>(rows.Int(2)), static_cast<ResidentState>(state)});
  }
}

}  // namespace coffer::keyring::store
