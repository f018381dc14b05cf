#pragma once

// The database of the server: one SQLite file, in WAL mode with synchronous=FULL, which all rooms
// share. The server owns it, and it must outlive the transactions and readers that it lends. Any
// thread may call; a Transaction, a Reader and their Statements are used by one thread. One
// connection does every write and every checkpoint; readers are query_only. Errors: kUnavailable
// when the disk is full or the database is busy, kConflict for a uniqueness violation, kCorrupt for
// damage, else kInternal.
// Example: `COFFER_ASSIGN(Transaction transaction, database.Begin()); ... transaction.Commit();`

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/counters.h"
#include "coffer/base/ids.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/storage/row_authenticator.h"

namespace coffer::storage {

struct TableShape;  // table.h

// A prepared statement on one connection. Parameters and columns count from 0. It lives no longer
// than the Transaction or Reader that prepared it, and is used by the same thread.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  Statement& Bind(int index, std::int64_t value);
  Statement& Bind(int index, std::string_view value);
  Statement& Bind(int index, ByteView value);  // a BLOB; an empty view is an empty BLOB, not NULL
  Statement& BindNull(int index);
  // The next row: true while there is one.
  Result<bool> Step();
  // Executes a statement that yields no rows and resets it for new parameters; the number of rows
  // changed.
  Result<std::int64_t> Run();
  void Reset();

  std::int64_t Int(int column) const;
  std::string Text(int column) const;
  Bytes Blob(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Connection;
  struct Impl;
  explicit Statement(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Connection;
class RowSource;

// The one writer, from BEGIN IMMEDIATE to Commit(); rolls back in the destructor unless committed.
// Holds the writer lock: never keep one across a token or network call. Used by one thread.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<Statement> Prepare(std::string_view sql);
  // Makes this commit an anchor: it stores the generations of all shards, and Authenticate()
  // refuses a database with an older shard. Its number is one more than the newest anchor's and at
  // least `number`; the caller writes it into the token after COMMIT. `new_lineage` also replaces
  // Database::Lineage(), after a restore or accepted damage.
  void Anchor(std::uint64_t number = 0, bool new_lineage = false);
  // The change of a row whose MACs its room makes itself, as keyring does in the token. A MAC is
  // empty where there is no row. After the commit, a row with a generation below `newest` counts as
  // replayed.
  struct CountedRow {
    ByteView key;  // the first key column
    ByteView mac_before;
    ByteView mac_after;
    std::int64_t newest = 0;
  };
  void CountRow(const TableShape& shape, const CountedRow& row);
  // Runs the commit observers, then COMMIT. On error nothing was committed, except where the
  // error's message says that the outcome is unknown: then read again before answering.
  Status Commit();

 private:
  friend class Database;
  friend class RowSource;
  struct Impl;
  explicit Transaction(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Called during a copy with the pages done and all pages; false breaks the copy off.
using CopyProgress = std::function<bool(std::int64_t done, std::int64_t total)>;

// A read-only (query_only) connection borrowed from the pool: one consistent snapshot from the
// first statement until it is given back. Used by one thread.
class Reader {
 public:
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) = delete;
  ~Reader();
  Result<Statement> Prepare(std::string_view sql);
  // Copies this snapshot into the new file `file` (mode 0600) while others read and write; the
  // database's log only grows meanwhile. The copy is one file without a log, is read through by
  // SQLite's integrity check and is on the disk when this returns. kConflict where `file` exists,
  // kUnavailable "the copy was broken off" where `progress` returned false. After an error no file
  // is left.
  Status CopyTo(const std::filesystem::path& file, const CopyProgress& progress);
  // The newest step of each room's schema: "audit 1, keyring 1".
  Result<std::string> SchemaSteps();
  // The number of the anchor in this snapshot, which nothing has checked; nothing where there is
  // none.
  Result<std::optional<std::uint64_t>> AnchorNumber();

 private:
  friend class Database;
  friend class RowSource;
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Called inside every transaction just before COMMIT; an error rolls it back. Must not begin
// another transaction.
class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  virtual Status BeforeCommit(Transaction& transaction) = 0;
};

// One step of one room's schema. Steps of a room run once each, in rising order from 1, all pending
// ones of all rooms in one transaction. A database with a step this program does not know is
// refused (it belongs to a newer Coffer).
struct Migration {
  std::string_view room;
  int step;
  std::string_view sql;
  // The authenticated tables of the room (table.h): one of its steps names all that it has now.
  std::vector<const TableShape*> (*tables)() = nullptr;
};

// The numbers of commits since the database was opened, and the sizes of its files. A value.
struct DatabaseCounts {
  DurationCounts commits;
  std::uint64_t failed_commits = 0;
  std::uint64_t database_octets = 0;
  std::uint64_t wal_octets = 0;
};

// How a database's rows are authenticated (table.h). `random` outlives the database.
struct Authentication {
  std::shared_ptr<const RowAuthenticator> codes;
  Random& random;
  // Set by -accept-damaged-rows: rows that fail their check are removed, and the sums are made anew
  // over the others. AcceptedDamage() lists what that changed.
  bool accept_damaged_rows = false;
};

// A part of a table with a sum of its own.
struct Shard {
  std::string_view table;
  int index = 0;
  std::string Text() const { return std::string(table) + "/" + std::to_string(index); }
  friend auto operator<=>(const Shard&, const Shard&) = default;
};

// The file, its one writer, its readers, and the checks of its authenticated tables (table.h).
// Open() first finishes a replacement that was cut off (database_replacement.h); it makes the file
// with mode 0600.
class Database {
 public:
  struct Options {
    std::filesystem::path file;
    std::size_t readers = 4;
    std::int64_t busy_timeout_milliseconds = 5000;
  };
  static Result<std::unique_ptr<Database>> Open(const Options& options,
                                                std::span<const Migration> migrations,
                                                Logger& logger);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Waits for the writer lock.
  Result<Transaction> Begin();
  Result<Reader> Read();
  // Adds an observer, before the first transaction only. The observer must outlive the database.
  void AddCommitObserver(CommitObserver& observer);
  DatabaseCounts Counts() const;

  // Checks the sums' own MACs, that no shard is older than the newest anchor, and all rows of
  // tables with one shard; from then on authenticated tables can be used. kCorrupt, with a sentence
  // that says what to do. In a database without an anchor (a new one, or one from before there were
  // sums) the first anchor gives the rows their MACs and sums as they are: the caller of
  // Transaction::Anchor() must have checked them. Call it once, before the first transaction; it
  // writes nothing.
  Status Authenticate(const Authentication& authentication);
  // The number of the newest anchor; nothing before the first. Any thread.
  std::optional<std::uint64_t> AnchorNumber() const;
  // Reads the newest anchor from the database again, after a COMMIT whose outcome was unknown.
  // Waits for the writer lock.
  Status Reread();
  // For rows whose MACs their room makes (CountRow): false if this process has seen a newer
  // generation of the row. The row is then replayed, unless it was read in an older snapshot. Any
  // thread.
  bool AdmitRow(const TableShape& shape, ByteView key, std::int64_t generation);
  // A random name of the database's history; it changes with a restore, an accepted rollback and
  // accepted damage. Any thread.
  Id Lineage() const;
  // One sentence for each consequence of accept_damaged_rows, for the log and the trail.
  std::vector<std::string> AcceptedDamage() const;

  std::vector<Shard> Shards() const;
  // Compares a shard's rows with its sum, in one snapshot. kCorrupt where they differ: from then on
  // changes to the shard are refused. Any thread.
  Status CheckShard(const Shard& shard);
  // kCorrupt where the schema is not what the migrations made. Any thread.
  Status CheckSchema();
  // The shards whose check failed. Any thread.
  std::vector<Shard> DamagedShards() const;

  // Sets the function that makes an anchor and writes its number into the token. It does nothing if
  // Anchored(change) already holds when it runs.
  void SetAnchor(std::function<Status(std::uint64_t change)> anchor);
  // Waits until the token has an anchor that covers every change committed before the call. A
  // change that lowers rights calls it before it is answered. One anchor serves all callers that
  // wait. An error means that the changes are committed and not anchored. Any thread.
  Status AwaitAnchor();
  // Called after the number of the newest anchor was written into the token.
  void AnchorWritten();
  // True if the token has an anchor that covers the commit with this number. Any thread.
  bool Anchored(std::uint64_t change) const;
  // True while the token has no anchor of some change. Any thread.
  bool Unanchored() const;

  struct Impl;

 private:
  friend class RowSource;
  static Result<Reader> Read(Impl& impl);
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::storage
