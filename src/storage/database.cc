#include "coffer/storage/database.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "coffer/storage/table.h"
#include "storage/connection.h"
#include "storage/database_copy.h"
#include "storage/database_file.h"
#include "storage/finish_replacement.h"
#include "storage/migrations.h"
#include "storage/row_sums.h"
#include "storage/schema_check.h"
#include "storage/table_sql.h"

namespace coffer::storage {

struct Database::Impl {
  std::filesystem::path file;
  std::vector<Migration> migrations;
  std::int64_t schema_number = 0;  // after the migrations
  RowSums sums;
  std::function<Status(std::uint64_t)> anchor;
  std::chrono::milliseconds patience{};
  DurationHistogram commits;
  Counter failed_commits;
  std::vector<CommitObserver*> observers;  // constant after the first transaction

  std::mutex writer_mutex;
  std::unique_ptr<Connection> writer;  // used by the holder of writer_mutex
  // Compared only with the asking thread's own id: a thread never sees a stale value of its own.
  std::atomic<std::thread::id> writer_thread{};

  std::mutex readers_mutex;
  std::condition_variable reader_returned;
  std::vector<std::unique_ptr<Connection>> idle_readers;  // guarded by readers_mutex

  ~Impl() {
    // The writer closes last: its close makes the final checkpoint.
    idle_readers.clear();
    writer.reset();
  }
};

struct Transaction::Impl {
  explicit Impl(Database::Impl& home) : database(&home), lock(home.writer_mutex) {
    database->writer_thread.store(std::this_thread::get_id());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (open) database->writer->Rollback();
    Release();
  }
  void Release() {
    open = false;
    if (!lock.owns_lock()) return;
    database->writer_thread.store(std::thread::id{});
    lock.unlock();
  }

  Database::Impl* database;
  std::unique_lock<std::mutex> lock;
  bool open = false;
};

struct Reader::Impl {
  Impl(Database::Impl& home, std::unique_ptr<Connection> borrowed)
      : database(&home), connection(std::move(borrowed)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    connection->Rollback();
    const std::lock_guard lock(database->readers_mutex);
    database->idle_readers.push_back(std::move(connection));
    database->reader_returned.notify_one();
  }

  Database::Impl* database;
  std::unique_ptr<Connection> connection;
};

namespace {

// The sums over authenticated tables and their anchors (row_sums.h).
constexpr std::string_view kStepOne = R"sql(
CREATE TABLE store_nodes (
  node INTEGER NOT NULL PRIMARY KEY,
  incarnation BLOB NOT NULL
) STRICT;
CREATE TABLE store_sums (
  node INTEGER NOT NULL,
  table_name TEXT NOT NULL,
  shard INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  sum BLOB NOT NULL,
  salt BLOB NOT NULL,
  mac BLOB NOT NULL,
  PRIMARY KEY (node, table_name, shard)
) STRICT, WITHOUT ROWID;
CREATE TABLE store_anchors (
  node INTEGER NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL,
  lineage BLOB NOT NULL,
  generations TEXT NOT NULL,
  mac BLOB NOT NULL
) STRICT;
)sql";

Status EnterWalMode(Connection& writer) {
  COFFER_ASSIGN(Statement mode, writer.Prepare("PRAGMA journal_mode=WAL"));
  COFFER_ASSIGN(const bool row, mode.Step());
  if (!row || mode.Text(0) != "wal") {
    return Fail(Code::kInternal, "database error", "this file system does not allow WAL mode");
  }
  return {};
}

Status QuickCheck(Connection& writer) {
  COFFER_ASSIGN(Statement check, writer.Prepare("PRAGMA quick_check(1)"));
  COFFER_ASSIGN(const bool row, check.Step());
  if (!row || check.Text(0) != "ok") {
    return Fail(Code::kCorrupt, "database is damaged", row ? check.Text(0) : "no answer");
  }
  return {};
}

Result<std::unique_ptr<Connection>> OpenWriter(const Database::Options& options) {
  COFFER_ASSIGN(auto writer, Connection::Open(options.file, Connection::Role::kWriter,
                                              options.busy_timeout_milliseconds));
  COFFER_TRY(QuickCheck(*writer));
  COFFER_TRY(EnterWalMode(*writer));
  return writer;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(const Options& options,
                                                 std::span<const Migration> migrations,
                                                 Logger& logger) {
  COFFER_TRY(FinishReplacement(options.file));
  COFFER_TRY(PrepareDatabaseFile(options.file));
  auto impl = std::make_unique<Impl>();
  impl->file = options.file;
  impl->patience = std::chrono::milliseconds(options.busy_timeout_milliseconds);
  auto writer = OpenWriter(options);
  if (!writer) {
    Error error = std::move(writer).error();
    if (error.code == Code::kCorrupt) {
      error.message = "database " + options.file.string() + " is damaged: restore a backup";
    }
    return Fail(std::move(error));
  }
  impl->writer = std::move(*writer);
  impl->migrations.assign(migrations.begin(), migrations.end());
  impl->migrations.push_back({"storage", 1, kStepOne});
  COFFER_TRY(Migrate(*impl->writer, impl->migrations, logger));
  COFFER_ASSIGN(impl->schema_number, SchemaNumber(*impl->writer));
  for (std::size_t i = 0; i < options.readers; ++i) {
    COFFER_ASSIGN(auto reader, Connection::Open(options.file, Connection::Role::kReader,
                                                options.busy_timeout_milliseconds));
    impl->idle_readers.push_back(std::move(reader));
  }
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

void Database::AddCommitObserver(CommitObserver& observer) {
  impl_->observers.push_back(&observer);
}

Result<Transaction> Database::Begin() {
  if (impl_->writer_thread.load() == std::this_thread::get_id()) {
    return Fail(Code::kInternal, "database error", "this thread has a transaction already");
  }
  auto transaction = std::make_unique<Transaction::Impl>(*impl_);
  COFFER_TRY(impl_->writer->BeginImmediate());
  transaction->open = true;
  impl_->sums.Begun();
  COFFER_ASSIGN(const std::int64_t schema_number, SchemaNumber(*impl_->writer));
  if (schema_number != impl_->schema_number) {
    return Fail(Code::kCorrupt,
                "the schema of the database was changed beneath the server: stop it and restore a "
                "backup");
  }
  return Transaction(std::move(transaction));
}

Result<Reader> Database::Read() { return Read(*impl_); }

Result<Reader> Database::Read(Impl& impl) {
  std::unique_lock lock(impl.readers_mutex);
  if (!impl.reader_returned.wait_for(lock, impl.patience,
                                     [&impl] { return !impl.idle_readers.empty(); })) {
    return Fail(Code::kUnavailable, "database is busy: try again", "every reader is in use");
  }
  auto connection = std::move(impl.idle_readers.back());
  impl.idle_readers.pop_back();
  lock.unlock();
  auto reader = std::make_unique<Reader::Impl>(impl, std::move(connection));
  COFFER_TRY(reader->connection->BeginSnapshot());
  return Reader(std::move(reader));
}

Transaction::Transaction(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

Result<Statement> Transaction::Prepare(std::string_view sql) {
  if (!impl_->open) {
    return Fail(Code::kInternal, "database error", "the transaction has ended");
  }
  return impl_->database->writer->Prepare(sql);
}

Status Transaction::Commit() {
  if (!impl_->open) {
    return Fail(Code::kInternal, "database error", "the transaction has ended");
  }
  Connection& writer = *impl_->database->writer;
  RowSums& sums = impl_->database->sums;
  const auto prepared = [&]() -> Status {
    for (CommitObserver* observer : impl_->database->observers) {
      COFFER_TRY(observer->BeforeCommit(*this));
    }
    return sums.Settle(writer);
  }();
  if (!prepared) {
    writer.Rollback();
    impl_->Release();
    return prepared;
  }
  const auto begun = std::chrono::steady_clock::now();
  Status status = writer.Commit();
  impl_->database->commits.Observe(std::chrono::steady_clock::now() - begun);
  if (status) {
    sums.Committed();
  } else {
    impl_->database->failed_commits.Add();
    sums.OutcomeUnknown();
  }
  impl_->Release();
  return status;
}

DatabaseCounts Database::Counts() const {
  const auto octets = [](const std::filesystem::path& file) -> std::uint64_t {
    std::error_code absent;
    const std::uintmax_t size = std::filesystem::file_size(file, absent);
    return absent ? 0 : size;
  };
  return {impl_->commits.Counts(), impl_->failed_commits.Value(), octets(impl_->file),
          octets(impl_->file.string() + "-wal")};
}

Status Database::Authenticate(const Authentication& authentication) {
  std::vector<const TableShape*> tables;
  for (const Migration& migration : impl_->migrations) {
    if (migration.tables == nullptr) continue;
    const auto named = migration.tables();
    tables.insert(tables.end(), named.begin(), named.end());
  }
  const std::lock_guard lock(impl_->writer_mutex);
  return impl_->sums.Join(*impl_->writer, std::move(tables), authentication);
}

std::optional<std::uint64_t> Database::AnchorNumber() const { return impl_->sums.AnchorNumber(); }
Id Database::Lineage() const { return impl_->sums.Lineage(); }
std::vector<std::string> Database::AcceptedDamage() const { return impl_->sums.Accepted(); }
std::vector<Shard> Database::Shards() const { return impl_->sums.Shards(); }
std::vector<Shard> Database::DamagedShards() const { return impl_->sums.Damaged(); }

Status Database::CheckShard(const Shard& shard) {
  const std::int64_t known = impl_->sums.KnownGeneration(shard);
  COFFER_ASSIGN(Reader reader, Read());
  Status checked = impl_->sums.Check(RowSource(reader).In(), shard, known);
  if (!checked && checked.error().code == Code::kCorrupt) impl_->sums.MarkDamaged(shard);
  return checked;
}

Status Database::CheckSchema() {
  COFFER_ASSIGN(Reader reader, Read());
  return CompareSchema(RowSource(reader).In(), impl_->migrations);
}

void Database::SetAnchor(std::function<Status(std::uint64_t)> anchor) {
  impl_->anchor = std::move(anchor);
}

Status Database::AwaitAnchor() {
  const std::uint64_t change = impl_->sums.Commits();
  if (Anchored(change)) return {};
  if (impl_->anchor) return impl_->anchor(change);
  return Fail(Code::kInternal, "database error", "nobody makes anchors");
}

void Database::AnchorWritten() { impl_->sums.AnchorWritten(); }
bool Database::Anchored(std::uint64_t change) const { return impl_->sums.InToken() >= change; }
bool Database::Unanchored() const { return !Anchored(impl_->sums.Commits()); }

Status Database::Reread() {
  const std::lock_guard lock(impl_->writer_mutex);
  return impl_->sums.Reread(*impl_->writer);
}

bool Database::AdmitRow(const TableShape& shape, ByteView key, std::int64_t generation) {
  const Value value = Bytes(key.begin(), key.end());
  return impl_->sums.Seen().Admit(SeenRows::NameOf(shape, {&value, 1}), generation, true);
}

void Transaction::Anchor(std::uint64_t number, bool new_lineage) {
  impl_->database->sums.RequestAnchor(number, new_lineage);
}

void Transaction::CountRow(const TableShape& shape, const CountedRow& row) {
  RowSums& sums = impl_->database->sums;
  sums.Count(shape, ShardOf(shape, row.key), row.mac_before, row.mac_after);
  const Value key = Bytes(row.key.begin(), row.key.end());
  sums.CountSeen(shape, {&key, 1}, row.newest);
}

RowSource::RowSource(Reader& reader)
    : connection_(reader.impl_->connection.get()),
      database_(reader.impl_->database),
      in_transaction_(false) {}
RowSource::RowSource(Transaction& transaction)
    : connection_(transaction.impl_->database->writer.get()),
      database_(transaction.impl_->database),
      in_transaction_(true) {}

RowSums& RowSource::Sums() const { return database_->sums; }

Result<Reader> RowSource::Anew() const { return Database::Read(*database_); }

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Statement> Reader::Prepare(std::string_view sql) { return impl_->connection->Prepare(sql); }

Status Reader::CopyTo(const std::filesystem::path& file, const CopyProgress& progress) {
  return CopySnapshot(*impl_->connection, file, progress);
}

Result<std::optional<std::uint64_t>> Reader::AnchorNumber() {
  COFFER_ASSIGN(Statement select, Prepare("SELECT number FROM store_anchors WHERE node = ?"));
  COFFER_ASSIGN(const bool found, select.Bind(0, kNode).Step());
  if (!found) return std::optional<std::uint64_t>{};
  return std::optional(static_cast<std::uint64_t>(select.Int(0)));
}

Result<std::string> Reader::SchemaSteps() { return AppliedSteps(*impl_->connection); }

}  // namespace coffer::storage
