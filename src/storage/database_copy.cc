#include "storage/database_copy.h"

#include <sqlite3.h>

#include <string>
#include <system_error>
#include <utility>

#include "coffer/storage/database_replacement.h"
#include "storage/database_file.h"
#include "storage/sql_error.h"

namespace coffer::storage {
namespace {

constexpr int kPagesAtOnce = 256;  // 1 MiB: how soon a broken-off copy ends

// SQLite's copy restarts from its first page whenever another connection wrote, unless its source
// holds a snapshot. A first statement is what makes BEGIN take one.
Status HoldSnapshot(Connection& source) {
  COFFER_ASSIGN(Statement any, source.Prepare("SELECT count(*) FROM sqlite_schema"));
  COFFER_TRY(any.Step());
  return {};
}

Status CopyPages(Connection& source, Connection& target, const CopyProgress& progress) {
  ::sqlite3_backup* const copy =
      ::sqlite3_backup_init(target.Handle(), "main", source.Handle(), "main");
  if (copy == nullptr) {
    return Fail(FromSql(::sqlite3_extended_errcode(target.Handle()), target.Handle(),
                        "begin to copy the database"));
  }
  int code = SQLITE_OK;
  bool wanted = true;
  while (code == SQLITE_OK && wanted) {
    code = ::sqlite3_backup_step(copy, kPagesAtOnce);
    const int total = ::sqlite3_backup_pagecount(copy);
    wanted = !progress || progress(total - ::sqlite3_backup_remaining(copy), total);
  }
  const int finished = ::sqlite3_backup_finish(copy);
  if (!wanted) return Fail(Code::kUnavailable, "the copy was broken off");
  if (code != SQLITE_DONE) return Fail(FromSql(code, target.Handle(), "copy the database"));
  if (finished != SQLITE_OK) {
    return Fail(FromSql(finished, target.Handle(), "finish the copy of the database"));
  }
  return {};
}

// The pages came from a database in WAL mode; a copy that is moved about must be one file.
Status LeaveWalMode(Connection& target) {
  COFFER_ASSIGN(Statement mode, target.Prepare("PRAGMA journal_mode=DELETE"));
  COFFER_ASSIGN(const bool row, mode.Step());
  if (!row || mode.Text(0) != "delete") {
    return Fail(Code::kInternal, "database error", "the copy cannot leave WAL mode");
  }
  return {};
}

Status CheckIntegrity(Connection& target) {
  COFFER_ASSIGN(Statement check, target.Prepare("PRAGMA integrity_check(1)"));
  COFFER_ASSIGN(const bool row, check.Step());
  if (!row || check.Text(0) != "ok") {
    return Fail(Code::kCorrupt, "the copy of the database is damaged",
                row ? check.Text(0) : "no answer");
  }
  return {};
}

Status CopyInto(Connection& source, const std::filesystem::path& file,
                const CopyProgress& progress) {
  COFFER_TRY(HoldSnapshot(source));
  {
    COFFER_ASSIGN(const auto target, Connection::Open(file, Connection::Role::kWriter, 0));
    // The whole file is synced once at the end.
    COFFER_TRY(
        target->Execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", "set up the copy"));
    COFFER_TRY(CopyPages(source, *target, progress));
    COFFER_TRY(LeaveWalMode(*target));
    COFFER_TRY(CheckIntegrity(*target));
  }
  COFFER_TRY(SyncPath(file));
  return SyncPath(std::filesystem::absolute(file).parent_path());
}

}  // namespace

Status CopySnapshot(Connection& source, const std::filesystem::path& file,
                    const CopyProgress& progress) {
  COFFER_TRY(MakeNewFile(file));
  Status copied = CopyInto(source, file, progress);
  if (!copied) RemoveDatabaseFiles(file);
  return copied;
}

}  // namespace coffer::storage
