#include "storage/sql_error.h"

#include <cerrno>
#include <string>

namespace coffer::storage {
namespace {

constexpr int kPrimaryCodeMask = 0xff;

bool IsNoRoom(int reason) { return reason == ENOSPC || reason == EDQUOT || reason == EFBIG; }

// The errno of the last failure on the log (or rollback journal): a COMMIT that fails does not set
// sqlite3_system_errno() (measured on 3.40.1).
int LastErrnoOfLog(::sqlite3* connection) {
  ::sqlite3_file* log = nullptr;
  ::sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  int reason = 0;
  if (log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &reason);
  }
  return reason;
}

// SQLite answers SQLITE_FULL for ENOSPC of a write only; a quota, a file size limit and a shared
// memory file that cannot grow are I/O errors to it.
bool MeansStorageIsFull(int code, ::sqlite3* connection) {
  if ((code & kPrimaryCodeMask) == SQLITE_FULL) return true;
  if ((code & kPrimaryCodeMask) != SQLITE_IOERR || connection == nullptr) return false;
  return IsNoRoom(::sqlite3_system_errno(connection)) || IsNoRoom(LastErrnoOfLog(connection));
}

}  // namespace

Error FromSql(int code, ::sqlite3* connection, std::string_view doing) {
  std::string cause = "failed to ";
  cause.append(doing).append(": ").append(connection != nullptr ? ::sqlite3_errmsg(connection)
                                                                : ::sqlite3_errstr(code));
  cause.append(" (sqlite ").append(std::to_string(code)).append(")");
  if (MeansStorageIsFull(code, connection)) {
    return {Code::kUnavailable,
            "storage is full: free space on the data directory's file system and try again",
            std::move(cause)};
  }
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return {Code::kConflict, "already exists", std::move(cause)};
    default:
      break;
  }
  switch (code & kPrimaryCodeMask) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kUnavailable, "database is busy: try again", std::move(cause)};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::kCorrupt, "database is damaged", std::move(cause)};
    default:
      return {Code::kInternal, "database error", std::move(cause)};
  }
}

bool CommitOutcomeUnknown(int code) {
  // After a failed write the commit frame is incomplete, and its checksum says so. After any other
  // I/O error (fsync above all) a whole commit frame may stand in the log.
  return (code & kPrimaryCodeMask) == SQLITE_IOERR && code != SQLITE_IOERR_WRITE;
}

}  // namespace coffer::storage
