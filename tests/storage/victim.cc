// A process for others to kill. `victim write FILE`: commits pairs of rows for ever and writes each
// pair's number to standard output once it is committed. `victim lock DIRECTORY`: prints "held" or
// the error, then waits for its standard input to close.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/storage/database.h"
#include "coffer/storage/directory_lock.h"

namespace {

using coffer::Result;
using coffer::Status;
using coffer::storage::Database;
using coffer::storage::DirectoryLock;
using coffer::storage::Migration;
using coffer::storage::Statement;
using coffer::storage::Transaction;

void Say(std::string line) {
  line += '\n';
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(3);
}

Result<std::int64_t> WritePair(Database& database) {
  COFFER_ASSIGN(Transaction transaction, database.Begin());
  COFFER_ASSIGN(Statement last, transaction.Prepare("SELECT coalesce(max(pair), 0) FROM half"));
  COFFER_TRY(last.Step());
  const std::int64_t pair = last.Int(0) + 1;
  COFFER_ASSIGN(Statement insert,
                transaction.Prepare("INSERT INTO half (pair, side, filling) VALUES (?, ?, ?)"));
  const coffer::Bytes filling(3000, 5);
  for (const std::int64_t side : {0, 1}) {
    COFFER_TRY(insert.Bind(0, pair).Bind(1, side).Bind(2, coffer::ByteView(filling)).Run());
  }
  COFFER_TRY(transaction.Commit());
  return pair;
}

int Write(const char* file) {
  coffer::NullLogger logger;
  const std::vector<Migration> schema = {
      {"victim", 1, "CREATE TABLE half (pair INTEGER, side INTEGER, filling BLOB) STRICT"}};
  auto database = Database::Open({file}, schema, logger);
  if (!database) {
    Say(database.error().message);
    return 1;
  }
  while (true) {
    const auto pair = WritePair(**database);
    if (!pair) return 2;
    Say(std::to_string(*pair));
  }
}

int Lock(const char* directory) {
  const auto lock = DirectoryLock::Acquire(directory);
  Say(lock ? "held" : lock.error().message);
  char octet = 0;
  while (::read(STDIN_FILENO, &octet, 1) > 0) {
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  return std::string_view(argv[1]) == "write" ? Write(argv[2]) : Lock(argv[2]);
}
