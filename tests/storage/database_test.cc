#include "coffer/storage/database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "storage/database_fixture.h"

namespace coffer::storage {
namespace {

using DatabaseTest = DatabaseFixture;

mode_t ModeOf(const std::filesystem::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0) << file;
  return status.st_mode & 07777;
}

TEST_F(DatabaseTest, KeepsWhatWasCommittedAcrossARestart) {
  ASSERT_TRUE(Put(*Open(), 1, "one"));
  EXPECT_EQ(CountItems(*Open()), 1);
}

TEST_F(DatabaseTest, RunsTheWriterWithTheSettingsOfThePromise) {
  const auto database = Open();
  auto transaction = database->Begin();
  ASSERT_TRUE(transaction);
  auto mode = transaction->Prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode->Step().value());
  EXPECT_EQ(mode->Text(0), "wal");
  EXPECT_EQ(Number(*transaction, "PRAGMA synchronous"), 2);  // FULL
  EXPECT_EQ(Number(*transaction, "PRAGMA trusted_schema"), 0);
  EXPECT_EQ(Number(*transaction, "PRAGMA cell_size_check"), 1);
  EXPECT_EQ(Number(*transaction, "PRAGMA foreign_keys"), 1);
  EXPECT_EQ(Number(*transaction, "PRAGMA mmap_size"), 0);
  EXPECT_EQ(Number(*transaction, "PRAGMA busy_timeout"), 5000);
  EXPECT_GT(Number(*transaction, "PRAGMA wal_autocheckpoint"), 0);
}

TEST_F(DatabaseTest, LeavesCheckpointsToTheWriter) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "one"));
  auto reader = database->Read();
  ASSERT_TRUE(reader);
  EXPECT_EQ(Number(*reader, "PRAGMA wal_autocheckpoint"), 0);
  auto checkpoint = reader->Prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  const auto row = checkpoint ? checkpoint->Step() : Result<bool>(Fail(Code::kInternal, ""));
  // Whatever it answers, the log must still hold the frames.
  EXPECT_GT(std::filesystem::file_size(File().string() + "-wal"), 0U);
  EXPECT_TRUE(!row || !*row || checkpoint->Int(0) == 1);
}

TEST_F(DatabaseTest, GivesEveryFileTheMode0600WhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{0777}}) {
    const fakes::TemporaryDirectory folder;
    const std::filesystem::path file = folder.Path() / "coffer.db";
    const mode_t before = ::umask(mask);
    auto database = Database::Open({file}, Schema(), logger_);
    const bool put = database && Put(**database, 1, "one");
    ::umask(before);
    EXPECT_TRUE(put);
    ASSERT_TRUE(database) << database.error().cause;
    for (const char* suffix : {"", "-wal", "-shm"}) {
      EXPECT_EQ(ModeOf(file.string() + suffix), mode_t{0600}) << suffix;
    }
  }
}

TEST_F(DatabaseTest, NarrowsTheModeOfAFileThatWasOpened) {
  Open();
  ASSERT_EQ(::chmod(File().c_str(), 0644), 0);
  Open();
  EXPECT_EQ(ModeOf(File()), mode_t{0600});
}

TEST_F(DatabaseTest, TellsNullEmptyAndZeroOctetsApart) {
  const auto database = Open();
  const Bytes zeros = {0, 0, 0};
  ASSERT_TRUE(Put(*database, 1, "empty", {}));
  ASSERT_TRUE(Put(*database, 2, std::string_view("a\0b", 3), zeros));
  {
    auto transaction = database->Begin();
    auto insert = transaction->Prepare("INSERT INTO item (id, name, value) VALUES (3, ?, ?)");
    ASSERT_TRUE(insert->BindNull(0).BindNull(1).Run());
    ASSERT_TRUE(transaction->Commit());
  }
  auto reader = database->Read();
  auto select = reader->Prepare("SELECT id, name, value FROM item ORDER BY id");
  ASSERT_TRUE(select->Step().value());
  EXPECT_FALSE(select->IsNull(2));
  EXPECT_TRUE(select->Blob(2).empty());
  ASSERT_TRUE(select->Step().value());
  EXPECT_EQ(select->Text(1), std::string("a\0b", 3));
  EXPECT_EQ(select->Blob(2), zeros);
  ASSERT_TRUE(select->Step().value());
  EXPECT_TRUE(select->IsNull(1));
  EXPECT_TRUE(select->IsNull(2));
  EXPECT_FALSE(select->Step().value());
  EXPECT_FALSE(select->Step().value());  // the end stays the end
}

TEST_F(DatabaseTest, KeepsTheWholeRangeOfIntegers) {
  const auto database = Open();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  ASSERT_TRUE(Put(*database, kMin, "min"));
  ASSERT_TRUE(Put(*database, kMax, "max"));
  auto reader = database->Read();
  EXPECT_EQ(Number(*reader, "SELECT min(id) FROM item"), kMin);
  EXPECT_EQ(Number(*reader, "SELECT max(id) FROM item"), kMax);
}

TEST_F(DatabaseTest, ReportsADuplicateAsAConflictAndTheTransactionGoesOn) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "one"));
  auto transaction = database->Begin();
  for (const auto& [id, name] : {std::pair{1, "other"}, std::pair{2, "one"}}) {
    const Status put = PutInto(*transaction, id, name);
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, Code::kConflict);
  }
  ASSERT_TRUE(PutInto(*transaction, 3, "three"));
  ASSERT_TRUE(transaction->Commit());
  EXPECT_EQ(CountItems(*database), 2);
}

TEST_F(DatabaseTest, KeepsBoundValuesOutOfErrorTexts) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "s3cret"));
  const Status put = Put(*database, 2, "s3cret", AsBytes("s3cret"));
  ASSERT_FALSE(put);
  EXPECT_EQ((put.error().message + put.error().cause).find("s3cret"), std::string::npos);
  EXPECT_EQ(put.error().message.find("item"), std::string::npos);
}

TEST_F(DatabaseTest, CommitsNothingAfterAnErrorThatIsNoConflict) {
  const auto database = Open();
  auto transaction = database->Begin();
  ASSERT_TRUE(PutInto(*transaction, 1, "one"));
  auto wrong = transaction->Prepare("INSERT INTO item (id) VALUES (?)");
  ASSERT_FALSE(wrong->Bind(0, std::string_view("not a number")).Run());
  EXPECT_FALSE(PutInto(*transaction, 2, "two"));
  EXPECT_FALSE(transaction->Commit());
  EXPECT_EQ(CountItems(*database), 0);
  EXPECT_TRUE(Put(*database, 3, "three"));
}

TEST_F(DatabaseTest, ReportsAParameterThatIsNotThere) {
  const auto database = Open();
  auto transaction = database->Begin();
  auto insert = transaction->Prepare("INSERT INTO item (id) VALUES (?)");
  EXPECT_FALSE(insert->Bind(0, std::int64_t{1}).Bind(1, std::int64_t{2}).Run());
}

TEST_F(DatabaseTest, ReportsSqlThatDoesNotParse) {
  const auto database = Open();
  auto reader = database->Read();
  const auto statement = reader->Prepare("SELECT nothing FROM nowhere");
  ASSERT_FALSE(statement);
  EXPECT_EQ(statement.error().code, Code::kInternal);
  EXPECT_EQ(statement.error().message.find("nowhere"), std::string::npos);
}

TEST_F(DatabaseTest, RollsBackATransactionThatIsDropped) {
  const auto database = Open();
  {
    auto transaction = database->Begin();
    ASSERT_TRUE(PutInto(*transaction, 1, "one"));
    EXPECT_EQ(Number(*transaction, "SELECT count(*) FROM item"), 1);
  }
  EXPECT_EQ(CountItems(*database), 0);
  EXPECT_TRUE(Put(*database, 1, "one"));
}

TEST_F(DatabaseTest, EndsATransactionWithItsCommit) {
  const auto database = Open();
  auto transaction = database->Begin();
  auto insert = transaction->Prepare("INSERT INTO item (id) VALUES (?)");
  ASSERT_TRUE(insert->Bind(0, std::int64_t{1}).Run());
  ASSERT_TRUE(transaction->Commit());
  EXPECT_FALSE(insert->Bind(0, std::int64_t{2}).Run());
  EXPECT_FALSE(transaction->Prepare("SELECT 1"));
  EXPECT_FALSE(transaction->Commit());
  EXPECT_TRUE(Put(*database, 3, "three"));  // the writer is free although `transaction` lives
  EXPECT_EQ(CountItems(*database), 2);
}

TEST_F(DatabaseTest, RefusesASecondTransactionOfTheSameThread) {
  const auto database = Open();
  auto transaction = database->Begin();
  const auto second = database->Begin();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kInternal);
  ASSERT_TRUE(PutInto(*transaction, 1, "one"));
  EXPECT_TRUE(transaction->Commit());
}

TEST_F(DatabaseTest, LetsOneWriterInAtATime) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 0, "count"));
  constexpr int kThreads = 4;
  constexpr int kRounds = 25;
  std::atomic<int> inside = 0;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        auto transaction = database->Begin();
        if (!transaction || inside.fetch_add(1) != 0) ++failures;
        // Read, then write: two writers at once would lose one of the rows.
        const std::int64_t next = Number(*transaction, "SELECT max(id) + 1 FROM item");
        if (!PutInto(*transaction, next, std::to_string(t * kRounds + i))) ++failures;
        --inside;
        if (!transaction->Commit()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(CountItems(*database), 1 + kThreads * kRounds);
}

TEST_F(DatabaseTest, ReportsAFileThatAnotherProgramHoldsAsBusy) {
  const auto database = TryOpen(1);
  ASSERT_TRUE(database);
  const auto other = Open();
  auto holder = other->Begin();
  ASSERT_TRUE(holder);
  const auto transaction = (*database)->Begin();
  ASSERT_FALSE(transaction);
  EXPECT_EQ(transaction.error().code, Code::kUnavailable);
  EXPECT_EQ(transaction.error().message, "database is busy: try again");
  ASSERT_TRUE(holder->Commit());
  EXPECT_TRUE(Put(**database, 1, "one"));
}

TEST_F(DatabaseTest, ShowsAReaderOneSnapshot) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "one"));
  auto reader = database->Read();
  ASSERT_EQ(Number(*reader, "SELECT count(*) FROM item"), 1);
  ASSERT_TRUE(Put(*database, 2, "two"));
  EXPECT_EQ(Number(*reader, "SELECT count(*) FROM item"), 1);
  EXPECT_EQ(CountItems(*database), 2);
}

TEST_F(DatabaseTest, ShowsTheNextBorrowerOfAReaderTheNewestSnapshot) {
  const auto database = std::move(*TryOpen(5000, 1));
  EXPECT_EQ(CountItems(*database), 0);
  ASSERT_TRUE(Put(*database, 1, "one"));
  EXPECT_EQ(CountItems(*database), 1);
}

TEST_F(DatabaseTest, ShowsAReaderNothingUncommitted) {
  const auto database = Open();
  auto transaction = database->Begin();
  ASSERT_TRUE(PutInto(*transaction, 1, "one"));
  EXPECT_EQ(CountItems(*database), 0);
  ASSERT_TRUE(transaction->Commit());
  EXPECT_EQ(CountItems(*database), 1);
}

TEST_F(DatabaseTest, LetsNoReaderWrite) {
  const auto database = Open();
  auto reader = database->Read();
  EXPECT_EQ(Number(*reader, "PRAGMA query_only"), 1);
  auto insert = reader->Prepare("INSERT INTO item (id) VALUES (1)");
  EXPECT_TRUE(!insert || !insert->Run());
  // A reader must not write even after a statement that switches the setting off.
  auto writable = reader->Prepare("PRAGMA query_only=OFF");
  ASSERT_TRUE(writable->Step());
  auto again = reader->Prepare("INSERT INTO item (id) VALUES (2)");
  EXPECT_TRUE(!again || !again->Run());
  EXPECT_EQ(CountItems(*database), 0);
}

TEST_F(DatabaseTest, LendsEachReaderToOneAtATimeAndSaysWhenNoneIsLeft) {
  const auto database = std::move(*TryOpen(1, 1));
  {
    const auto reader = database->Read();
    ASSERT_TRUE(reader);
    const auto second = database->Read();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::kUnavailable);
  }
  EXPECT_TRUE(database->Read());
}

TEST_F(DatabaseTest, LendsTheSameTextTwiceAtATime) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "one"));
  ASSERT_TRUE(Put(*database, 2, "two"));
  auto reader = database->Read();
  constexpr std::string_view kText = "SELECT id FROM item ORDER BY id";
  auto first = reader->Prepare(kText);
  auto second = reader->Prepare(kText);
  ASSERT_TRUE(first->Step().value());
  ASSERT_TRUE(second->Step().value());
  ASSERT_TRUE(second->Step().value());
  EXPECT_EQ(first->Int(0), 1);
  EXPECT_EQ(second->Int(0), 2);
}

TEST_F(DatabaseTest, PreparesATextOncePerConnection) {
  const auto database = Open();
  // sqlite_stmt lists the prepared statements of its own connection.
  constexpr std::string_view kCount =
      "SELECT count(*) FROM sqlite_stmt WHERE sql LIKE 'INSERT INTO item%'";
  for (std::int64_t id = 1; id <= 5; ++id) ASSERT_TRUE(Put(*database, id, std::to_string(id)));
  auto transaction = database->Begin();
  EXPECT_EQ(Number(*transaction, kCount), 1);
}

TEST_F(DatabaseTest, LeavesNoParameterOfTheLastUserInAStatement) {
  const auto database = Open();
  constexpr std::string_view kText = "INSERT INTO item (id, name) VALUES (?, ?)";
  auto transaction = database->Begin();
  { transaction->Prepare(kText)->Bind(0, std::int64_t{1}).Bind(1, std::string_view("left over")); }
  ASSERT_TRUE(transaction->Prepare(kText)->Bind(0, std::int64_t{2}).Run());
  EXPECT_EQ(Number(*transaction, "SELECT count(*) FROM item WHERE name IS NULL"), 1);
}

class Veto final : public CommitObserver {
 public:
  Status BeforeCommit(Transaction& transaction) override {
    ++calls;
    if (refuse) return Fail(Code::kUnavailable, "audit is not available");
    COFFER_ASSIGN(Statement insert, transaction.Prepare("INSERT INTO item (id) VALUES (?)"));
    COFFER_TRY(insert.Bind(0, std::int64_t{1000 + calls}).Run());
    return {};
  }
  bool refuse = false;
  int calls = 0;
};

TEST_F(DatabaseTest, LetsAnObserverWriteIntoEachTransaction) {
  const auto database = Open();
  Veto observer;
  database->AddCommitObserver(observer);
  ASSERT_TRUE(Put(*database, 1, "one"));
  ASSERT_TRUE(Put(*database, 2, "two"));
  EXPECT_EQ(observer.calls, 2);
  EXPECT_EQ(CountItems(*database), 4);
}

TEST_F(DatabaseTest, LetsAnObserverVeto) {
  const auto database = Open();
  Veto observer;
  database->AddCommitObserver(observer);
  observer.refuse = true;
  const Status put = Put(*database, 1, "one");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "audit is not available");
  EXPECT_EQ(CountItems(*database), 0);
  observer.refuse = false;
  ASSERT_TRUE(Put(*database, 2, "two"));
  EXPECT_EQ(CountItems(*database), 2);
}

TEST_F(DatabaseTest, AsksNoObserverAboutATransactionThatIsDropped) {
  const auto database = Open();
  Veto observer;
  database->AddCommitObserver(observer);
  { const auto transaction = database->Begin(); }
  EXPECT_EQ(observer.calls, 0);
}

TEST_F(DatabaseTest, RefusesAFileThatIsNotADatabase) {
  std::ofstream(File()) << std::string(8192, 'x');
  const auto database = TryOpen();
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Code::kCorrupt);
  EXPECT_EQ(database.error().message,
            "database " + File().string() + " is damaged: restore a backup");
}

TEST_F(DatabaseTest, RefusesADamagedPage) {
  {
    const auto database = Open();
    for (std::int64_t id = 0; id < 200; ++id) {
      ASSERT_TRUE(Put(*database, id, std::to_string(id), Bytes(500, 7)));
    }
  }
  // The last close wrote the log into the file.
  ASSERT_FALSE(std::filesystem::exists(File().string() + "-wal"));
  {
    std::fstream file(File(), std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 2; page < 8; ++page) {
      file.seekp(page * 4096);
      file << std::string(512, '\xee');
    }
  }
  const auto database = TryOpen();
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Code::kCorrupt);
  EXPECT_EQ(database.error().message,
            "database " + File().string() + " is damaged: restore a backup");
}

TEST_F(DatabaseTest, SaysWhenTheFolderIsMissing) {
  const auto database = Database::Open({directory_.Path() / "no" / "coffer.db"}, {}, logger_);
  ASSERT_FALSE(database);
  EXPECT_NE(database.error().message.find("No such file or directory"), std::string::npos);
}

}  // namespace
}  // namespace coffer::storage
