#include <gtest/gtest.h>

#include "coffer/storage/database.h"
#include "fakes/temporary_directory.h"
#include "storage/victim_process.h"

namespace coffer::storage {
namespace {

struct Stored {
  std::int64_t pairs = -1;
  std::int64_t torn = -1;
};

Stored CountPairs(const std::filesystem::path& file) {
  NullLogger logger;
  // As the victim has it.
  const std::vector<Migration> schema = {
      {"victim", 1, "CREATE TABLE half (pair INTEGER, side INTEGER, filling BLOB) STRICT"}};
  auto database = Database::Open({file}, schema, logger);
  EXPECT_TRUE(database) << database.error().message << database.error().cause;
  if (!database) return {};
  auto reader = (*database)->Read();
  auto count = reader->Prepare(
      "SELECT coalesce(max(pair), 0), count(DISTINCT pair), "
      "(SELECT count(*) FROM (SELECT pair FROM half GROUP BY pair HAVING count(*) != 2 "
      "OR min(length(filling)) != 3000)) FROM half");
  EXPECT_TRUE(count->Step().value());
  EXPECT_EQ(count->Int(0), count->Int(1));
  return {count->Int(0), count->Int(2)};
}

// The victim goes on while its words travel: the kill falls anywhere in a later transaction.
TEST(Durability, KeepsEveryAcknowledgedTransactionWholeThroughKills) {
  const fakes::TemporaryDirectory directory;
  const std::filesystem::path file = directory.Path() / "coffer.db";
  constexpr int kKills = 12;
  std::int64_t acknowledged = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    VictimProcess victim("write", file.string());
    for (int pair = 0; pair < 3 + kill * 7; ++pair) {
      const std::string line = victim.ReadLine();
      ASSERT_FALSE(line.empty());
      ASSERT_EQ(line.find_first_not_of("0123456789"), std::string::npos) << line;
      acknowledged = std::stoll(line);
    }
    victim.Kill();
    for (std::string line = victim.ReadLine(); !line.empty(); line = victim.ReadLine()) {
      acknowledged = std::stoll(line);
    }
    const Stored stored = CountPairs(file);
    EXPECT_GE(stored.pairs, acknowledged);
    EXPECT_LE(stored.pairs, acknowledged + 1);  // committed, but killed before it could say so
    EXPECT_EQ(stored.torn, 0);
  }
  EXPECT_GT(acknowledged, 12 * 3);
}

}  // namespace
}  // namespace coffer::storage
