#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coffer/storage/database.h"

namespace coffer::storage {

// A statement that is lent out. Owned by the door's Statement; the connection keeps a pointer to it
// so that it can take the prepared statement back when the transaction ends.
struct Statement::Impl {
  Impl(Connection& home, std::string text, SQLite::Statement prepared)
      : connection(&home), sql(std::move(text)), statement(std::move(prepared)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  // The step shared by Step() and Run().
  Result<bool> Advance();
  void KeepFirstBindError(int code);
  // Ends the process where there is no such column or no row: a defect in the caller's SQL.
  SQLite::Column At(int column) const noexcept { return statement->getColumn(column); }

  Connection* connection;  // null once the transaction or reader has ended
  std::string sql;
  std::optional<SQLite::Statement> statement;
  std::optional<Error> bind_error;
};

// One SQLite connection with its cache of prepared statements. Not thread-safe: only the thread
// that holds the writer lock, or has borrowed the reader, uses it.
class Connection {
 public:
  enum class Role { kWriter, kReader };
  static Result<std::unique_ptr<Connection>> Open(const std::filesystem::path& file, Role role,
                                                  std::int64_t busy_timeout_milliseconds);
  // An empty database that is in no file.
  static Result<std::unique_ptr<Connection>> OpenInMemory();
  Connection(SQLite::Database database, Role role) : database_(std::move(database)), role_(role) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs SQL text without parameters (several statements allowed), rows ignored, nothing cached.
  Status Execute(const std::string& sql, std::string_view doing);
  // Takes the statement from the cache or prepares it. The same text may be lent more than once at
  // a time.
  Result<Statement> Prepare(std::string_view sql);

  Status BeginImmediate();
  Status BeginSnapshot();
  // COMMIT; rolls back where it fails. The statements still lent are dead afterwards.
  Status Commit();
  // Rolls back. It cannot fail: if SQLite cannot roll back it has done so already.
  void Rollback();

  // The error that makes the open transaction unfit for COMMIT: the first one that was not a
  // conflict.
  const std::optional<Error>& TransactionError() const { return transaction_error_; }
  ::sqlite3* Handle() const { return database_.getHandle(); }

 private:
  friend struct Statement::Impl;
  Error Report(int code, std::string_view doing);
  void TakeBack(Statement::Impl& lent);
  void TakeBackAll();

  SQLite::Database database_;
  const Role role_;
  // Idle prepared statements by text. The rooms' texts are constants, so that it stays small.
  // Declared after the connection: statements must be finalized before it is closed.
  std::unordered_map<std::string, std::vector<SQLite::Statement>> idle_;
  std::vector<Statement::Impl*> lent_;
  std::optional<Error> transaction_error_;
};

}  // namespace coffer::storage
