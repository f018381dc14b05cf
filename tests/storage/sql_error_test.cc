#include "storage/sql_error.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace coffer::storage {
namespace {

TEST(FromSql, GivesEachResultItsCode) {
  using Case = std::pair<int, Code>;
  for (const auto& [result, code] :
       {Case{SQLITE_FULL, Code::kUnavailable}, Case{SQLITE_BUSY, Code::kUnavailable},
        Case{SQLITE_BUSY_SNAPSHOT, Code::kUnavailable}, Case{SQLITE_LOCKED, Code::kUnavailable},
        Case{SQLITE_CORRUPT, Code::kCorrupt}, Case{SQLITE_CORRUPT_INDEX, Code::kCorrupt},
        Case{SQLITE_NOTADB, Code::kCorrupt}, Case{SQLITE_CONSTRAINT_UNIQUE, Code::kConflict},
        Case{SQLITE_CONSTRAINT_PRIMARYKEY, Code::kConflict},
        Case{SQLITE_CONSTRAINT_ROWID, Code::kConflict},
        Case{SQLITE_CONSTRAINT_FOREIGNKEY, Code::kInternal},
        Case{SQLITE_CONSTRAINT_NOTNULL, Code::kInternal}, Case{SQLITE_IOERR_READ, Code::kInternal},
        Case{SQLITE_READONLY, Code::kInternal}, Case{SQLITE_ERROR, Code::kInternal}}) {
    EXPECT_EQ(FromSql(result, nullptr, "try").code, code) << result;
  }
}

TEST(FromSql, KeepsSqlitesTextForTheLogOnly) {
  const Error error = FromSql(SQLITE_READONLY, nullptr, "execute a statement");
  EXPECT_EQ(error.message, "database error");
  EXPECT_EQ(error.cause,
            "failed to execute a statement: attempt to write a readonly database (sqlite 8)");
}

TEST(CommitOutcome, IsUnknownOnlyWhereAWholeCommitFrameMayStandInTheLog) {
  for (const int result : {SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR}) {
    EXPECT_TRUE(CommitOutcomeUnknown(result)) << result;
  }
  for (const int result :
       {SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_BUSY, SQLITE_NOMEM, SQLITE_CONSTRAINT_FOREIGNKEY}) {
    EXPECT_FALSE(CommitOutcomeUnknown(result)) << result;
  }
}

}  // namespace
}  // namespace coffer::storage
