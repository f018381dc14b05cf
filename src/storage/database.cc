#include "coffer/storage/database.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "storage/connection.h"
#include "storage/database_copy.h"
#include "storage/database_file.h"
#include "storage/finish_replacement.h"
#include "storage/migrations.h"

namespace coffer::storage {

struct Database::Impl {
  std::filesystem::path file;
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
  COFFER_TRY(Migrate(*impl->writer, migrations, logger));
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
  return Transaction(std::move(transaction));
}

Result<Reader> Database::Read() {
  std::unique_lock lock(impl_->readers_mutex);
  if (!impl_->reader_returned.wait_for(lock, impl_->patience,
                                       [this] { return !impl_->idle_readers.empty(); })) {
    return Fail(Code::kUnavailable, "database is busy: try again", "every reader is in use");
  }
  auto connection = std::move(impl_->idle_readers.back());
  impl_->idle_readers.pop_back();
  lock.unlock();
  auto reader = std::make_unique<Reader::Impl>(*impl_, std::move(connection));
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
  for (CommitObserver* observer : impl_->database->observers) {
    if (Status status = observer->BeforeCommit(*this); !status) {
      writer.Rollback();
      impl_->Release();
      return status;
    }
  }
  const auto begun = std::chrono::steady_clock::now();
  Status status = writer.Commit();
  impl_->database->commits.Observe(std::chrono::steady_clock::now() - begun);
  if (!status) impl_->database->failed_commits.Add();
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

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Statement> Reader::Prepare(std::string_view sql) { return impl_->connection->Prepare(sql); }

Status Reader::CopyTo(const std::filesystem::path& file, const CopyProgress& progress) {
  return CopySnapshot(*impl_->connection, file, progress);
}

Result<std::string> Reader::SchemaSteps() { return AppliedSteps(*impl_->connection); }

}  // namespace coffer::storage
