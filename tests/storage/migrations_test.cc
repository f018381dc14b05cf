#include <gtest/gtest.h>

#include "storage/database_fixture.h"

namespace coffer::storage {
namespace {

class MigrationsTest : public DatabaseFixture {
 protected:
  Result<std::unique_ptr<Database>> OpenWith(std::vector<Migration> migrations) {
    return Database::Open({File(), 1}, migrations, logger_);
  }
  static bool HasTable(Database& database, const std::string& name) {
    auto reader = database.Read();
    return Number(*reader, "SELECT count(*) FROM sqlite_schema WHERE name = '" + name + "'") == 1;
  }
};

constexpr Migration kOne = {"room", 1, "CREATE TABLE one (a INTEGER); INSERT INTO one VALUES (1)"};
constexpr Migration kTwo = {"room", 2, "ALTER TABLE one ADD COLUMN b INTEGER"};
constexpr Migration kThree = {"room", 3, "UPDATE one SET b = a + 1"};
constexpr Migration kOther = {"other", 1, "CREATE TABLE other (a INTEGER)"};

TEST_F(MigrationsTest, RunsTheStepsOfARoomInRisingOrderWhateverTheOrderGiven) {
  const auto database = OpenWith({kThree, kOther, kOne, kTwo});
  ASSERT_TRUE(database) << database.error().cause;
  auto reader = (*database)->Read();
  EXPECT_EQ(Number(*reader, "SELECT b FROM one"), 2);
  EXPECT_EQ(Number(*reader, "SELECT count(*) FROM schema_migrations"), 5);  // storage's own, too
  EXPECT_EQ(Number(*reader, "SELECT count(*) FROM schema_migrations WHERE applied_at LIKE '20%Z'"),
            5);
}

TEST_F(MigrationsTest, RunsEachStepOnce) {
  ASSERT_TRUE(OpenWith({kOne}));
  ASSERT_TRUE(OpenWith({kOne}));
  const auto database = OpenWith({kOne, kTwo, kThree});
  ASSERT_TRUE(database) << database.error().cause;
  auto reader = (*database)->Read();
  EXPECT_EQ(Number(*reader, "SELECT count(*) FROM one"), 1);
  EXPECT_EQ(Number(*reader, "SELECT b FROM one"), 2);
}

TEST_F(MigrationsTest, AppliesAllPendingStepsOfAllRoomsOrNone) {
  ASSERT_TRUE(OpenWith({kOther}));
  constexpr Migration kBroken = {"room", 2, "CREATE TABLE two (a INTEGER); NOT SQL"};
  ASSERT_FALSE(OpenWith({kOther, kOne, kBroken}));
  const auto database = OpenWith({kOther});
  ASSERT_TRUE(database);
  EXPECT_FALSE(HasTable(**database, "one"));
  EXPECT_FALSE(HasTable(**database, "two"));
  EXPECT_TRUE(HasTable(**database, "other"));
}

TEST_F(MigrationsTest, RefusesADatabaseOfANewerCoffer) {
  ASSERT_TRUE(OpenWith({kOne, kTwo, kOther}));
  for (const auto& older : {std::vector{kOne, kOther}, std::vector{kOne, kTwo}}) {
    const auto database = OpenWith(older);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().message,
              "database was written by a newer coffer: install that one, or restore a backup");
  }
  EXPECT_TRUE(OpenWith({kOne, kTwo, kOther}));
}

TEST_F(MigrationsTest, RefusesStepsThatAreNotOneToN) {
  EXPECT_FALSE(OpenWith({kTwo}));
  EXPECT_FALSE(OpenWith({kOne, kThree}));
  EXPECT_FALSE(OpenWith({kOne, kOne}));
}

class RecordingLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view, std::string_view message,
           std::initializer_list<LogField> fields) override {
    std::string line(message);
    for (const LogField& field : fields) line += " " + field.value;
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

TEST_F(MigrationsTest, LogsWhatWasAppliedAndNothingElse) {
  RecordingLogger logger;
  const std::vector<Migration> steps = {kOne, kTwo};
  ASSERT_TRUE(Database::Open({File()}, steps, logger));
  EXPECT_EQ(logger.lines, (std::vector<std::string>{"schema brought up to date room 2",
                                                    "schema brought up to date storage 1"}));
  ASSERT_TRUE(Database::Open({File()}, steps, logger));
  EXPECT_EQ(logger.lines.size(), 2U);
}

}  // namespace
}  // namespace coffer::storage
