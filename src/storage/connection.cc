#include "storage/connection.h"

#include <algorithm>
#include <utility>

#include "storage/sql_error.h"

namespace coffer::storage {
namespace {

// Readers leave checkpoints to the writer, also the one that the last connection to close makes:
// two connections that checkpoint are what the WAL-reset bug of SQLite before 3.51.3 needs.
constexpr char kReaderSettings[] =
    "PRAGMA query_only=ON;"
    "PRAGMA wal_autocheckpoint=0;";

constexpr char kSettings[] =
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA cell_size_check=ON;"
    "PRAGMA foreign_keys=ON;"
    "PRAGMA mmap_size=0;"
    "PRAGMA synchronous=FULL;";

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const std::filesystem::path& file, Role role,
                                                     std::int64_t busy_timeout_milliseconds) {
  std::unique_ptr<Connection> connection;
  try {
    // An absolute path cannot begin with "file:", which this SQLite would take for a URI. Readers
    // open read-only as well: query_only could be switched off by SQL text.
    const int flags = role == Role::kWriter ? SQLite::OPEN_READWRITE : SQLite::OPEN_READONLY;
    connection = std::make_unique<Connection>(
        SQLite::Database(std::filesystem::absolute(file).string(), flags,
                         static_cast<int>(busy_timeout_milliseconds)),
        role);
  } catch (const SQLite::Exception& error) {
    return Fail(FromSql(error.getExtendedErrorCode(), nullptr, "open the database"));
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, "database error", error.what());
  }
  ::sqlite3_extended_result_codes(connection->Handle(), 1);
  // No migration makes any, so one that is there was planted.
  ::sqlite3_db_config(connection->Handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  ::sqlite3_db_config(connection->Handle(), SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  COFFER_TRY(connection->Execute(kSettings, "set up the connection"));
  if (role == Role::kReader) {
    COFFER_TRY(connection->Execute(kReaderSettings, "set up the reader"));
    ::sqlite3_db_config(connection->Handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  return connection;
}

Result<std::unique_ptr<Connection>> Connection::OpenInMemory() {
  try {
    return std::make_unique<Connection>(
        SQLite::Database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE), Role::kWriter);
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, "database error", error.what());
  }
}

Status Connection::Execute(const std::string& sql, std::string_view doing) {
  const int code = database_.tryExec(sql);
  if (code != SQLITE_OK) return Fail(Report(code, doing));
  return {};
}

Result<Statement> Connection::Prepare(std::string_view sql) {
  try {
    std::string text(sql);
    std::unique_ptr<Statement::Impl> impl;
    if (const auto found = idle_.find(text); found != idle_.end() && !found->second.empty()) {
      impl = std::make_unique<Statement::Impl>(*this, std::move(text),
                                               std::move(found->second.back()));
      found->second.pop_back();
    } else {
      SQLite::Statement prepared(database_, text);
      impl = std::make_unique<Statement::Impl>(*this, std::move(text), std::move(prepared));
    }
    lent_.push_back(impl.get());
    return Statement(std::move(impl));
  } catch (const SQLite::Exception& error) {
    return Fail(Report(error.getExtendedErrorCode(), "prepare a statement"));
  } catch (const std::exception& error) {
    return Fail(Code::kInternal, "database error", error.what());
  }
}

Status Connection::BeginImmediate() {
  transaction_error_.reset();
  COFFER_TRY(Execute("BEGIN IMMEDIATE", "begin a transaction"));
  transaction_error_.reset();
  return {};
}

Status Connection::BeginSnapshot() { return Execute("BEGIN DEFERRED", "begin to read"); }

Status Connection::Commit() {
  if (transaction_error_) {
    Error error = *transaction_error_;
    Rollback();
    return Fail(std::move(error));
  }
  TakeBackAll();
  const int code = database_.tryExec("COMMIT");
  if (code == SQLITE_OK) return {};
  Error error = FromSql(code, Handle(), "commit");
  Rollback();
  if (CommitOutcomeUnknown(code)) {
    error.code = Code::kInternal;
    error.message = "the outcome of the transaction is unknown: storage did not confirm it";
  }
  return Fail(std::move(error));
}

void Connection::Rollback() {
  TakeBackAll();
  // After SQLITE_FULL, SQLITE_IOERR and their like SQLite has often rolled back by itself.
  if (::sqlite3_get_autocommit(Handle()) == 0) database_.tryExec("ROLLBACK");
  transaction_error_.reset();
}

Error Connection::Report(int code, std::string_view doing) {
  Error error = FromSql(code, Handle(), doing);
  if (role_ == Role::kWriter && error.code != Code::kConflict && !transaction_error_) {
    transaction_error_ = error;
  }
  return error;
}

void Connection::TakeBack(Statement::Impl& lent) {
  std::erase(lent_, &lent);
  lent.connection = nullptr;
  lent.statement->tryReset();
  lent.statement->clearBindings();
  idle_[lent.sql].push_back(std::move(*lent.statement));
  lent.statement.reset();
}

void Connection::TakeBackAll() {
  while (!lent_.empty()) TakeBack(*lent_.back());
}

Statement::Impl::~Impl() {
  if (connection != nullptr) connection->TakeBack(*this);
}

void Statement::Impl::KeepFirstBindError(int code) {
  if (!bind_error) bind_error = connection->Report(code, "bind a parameter");
}

Result<bool> Statement::Impl::Advance() {
  if (connection == nullptr) {
    return Fail(Code::kInternal, "database error", "a statement outlived its transaction");
  }
  if (bind_error) return Fail(*bind_error);
  // After an error SQLite may have rolled back, and what followed would commit itself one by one.
  if (connection->transaction_error_) return Fail(*connection->transaction_error_);
  if (statement->isDone()) return false;
  const int code = statement->tryExecuteStep();
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = connection->Report(code, "execute a statement");
  statement->tryReset();
  return Fail(std::move(error));
}

Statement::Statement(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Statement::Statement(Statement&&) noexcept = default;
Statement& Statement::operator=(Statement&&) noexcept = default;
Statement::~Statement() = default;

namespace {

// SQLiteCpp counts parameters from 1 and throws; the error is kept for the next Step() or Run().
template <typename Impl, typename Call>
void BindOrKeep(Impl& impl, const Call& call) {
  if (impl.connection == nullptr) return;
  try {
    call(*impl.statement);
  } catch (const SQLite::Exception& error) {
    impl.KeepFirstBindError(error.getExtendedErrorCode());
  }
}

}  // namespace

Statement& Statement::Bind(int index, std::int64_t value) {
  BindOrKeep(*impl_, [&](SQLite::Statement& to) { to.bind(index + 1, value); });
  return *this;
}

Statement& Statement::Bind(int index, std::string_view value) {
  BindOrKeep(*impl_, [&](SQLite::Statement& to) { to.bind(index + 1, std::string(value)); });
  return *this;
}

Statement& Statement::Bind(int index, ByteView value) {
  // SQLite takes a null address for NULL, whatever the length.
  static constexpr std::uint8_t kEmpty = 0;
  const void* data = value.empty() ? &kEmpty : value.data();
  BindOrKeep(*impl_, [&](SQLite::Statement& to) {
    to.bind(index + 1, data, static_cast<int>(value.size()));
  });
  return *this;
}

Statement& Statement::BindNull(int index) {
  BindOrKeep(*impl_, [&](SQLite::Statement& to) { to.bind(index + 1); });
  return *this;
}

Result<bool> Statement::Step() { return impl_->Advance(); }

Result<std::int64_t> Statement::Run() {
  COFFER_ASSIGN(bool row, impl_->Advance());
  const std::int64_t changes = impl_->statement->getChanges();
  Reset();
  if (row) return Fail(Code::kInternal, "database error", "Run() of a statement that yields rows");
  return changes;
}

void Statement::Reset() {
  if (impl_->connection == nullptr) return;
  impl_->statement->tryReset();
  impl_->statement->clearBindings();
  impl_->bind_error.reset();
}

std::int64_t Statement::Int(int column) const { return impl_->At(column).getInt64(); }

std::string Statement::Text(int column) const { return impl_->At(column).getString(); }

Bytes Statement::Blob(int column) const {
  const SQLite::Column value = impl_->At(column);
  const auto* data = static_cast<const std::uint8_t*>(value.getBlob());
  return {data, data + value.getBytes()};
}

bool Statement::IsNull(int column) const { return impl_->At(column).isNull(); }

}  // namespace coffer::storage
