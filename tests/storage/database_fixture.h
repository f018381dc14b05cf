#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/storage/database.h"
#include "fakes/temporary_directory.h"

namespace coffer::storage {

// A database file in a folder of its own with one table, `item`.
class DatabaseFixture : public ::testing::Test {
 protected:
  static std::vector<Migration> Schema() {
    return {{"test", 1,
             "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, value BLOB) STRICT"}};
  }
  std::filesystem::path File() const { return directory_.Path() / "coffer.db"; }

  Result<std::unique_ptr<Database>> TryOpen(std::int64_t busy_timeout_milliseconds = 5000,
                                            std::size_t readers = 2) {
    const std::vector<Migration> schema = Schema();
    return Database::Open({File(), readers, busy_timeout_milliseconds}, schema, logger_);
  }
  std::unique_ptr<Database> Open() {
    auto database = TryOpen();
    EXPECT_TRUE(database) << database.error().message << ": " << database.error().cause;
    return database ? std::move(*database) : nullptr;
  }

  // One transaction that adds one row.
  static Status Put(Database& database, std::int64_t id, std::string_view name,
                    ByteView value = {}) {
    COFFER_ASSIGN(Transaction transaction, database.Begin());
    COFFER_TRY(PutInto(transaction, id, name, value));
    return transaction.Commit();
  }
  static Status PutInto(Transaction& transaction, std::int64_t id, std::string_view name,
                        ByteView value = {}) {
    COFFER_ASSIGN(Statement insert,
                  transaction.Prepare("INSERT INTO item (id, name, value) VALUES (?, ?, ?)"));
    COFFER_TRY(insert.Bind(0, id).Bind(1, name).Bind(2, value).Run());
    return {};
  }

  // The first column of the first row; fails the test where there is none.
  template <typename Source>
  static std::int64_t Number(Source& source, std::string_view sql) {
    auto statement = source.Prepare(sql);
    EXPECT_TRUE(statement) << sql;
    if (!statement) return -1;
    const auto row = statement->Step();
    EXPECT_TRUE(row && *row) << sql;
    return row && *row ? statement->Int(0) : -1;
  }
  static std::int64_t CountItems(Database& database) {
    auto reader = database.Read();
    EXPECT_TRUE(reader);
    return reader ? Number(*reader, "SELECT count(*) FROM item") : -1;
  }

  const fakes::TemporaryDirectory directory_;
  NullLogger logger_;
};

}  // namespace coffer::storage
