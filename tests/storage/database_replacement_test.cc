#include "coffer/storage/database_replacement.h"

#include <gtest/gtest.h>

#include <fstream>

#include "storage/database_fixture.h"

namespace coffer::storage {
namespace {

namespace fs = std::filesystem;

// The former database holds one item and, if a test asks for it, a log of its own; the new one
// holds three.
class DatabaseReplacementTest : public DatabaseFixture {
 protected:
  fs::path Fresh() const { return directory_.Path() / "fresh.db"; }
  fs::path With(const char* suffix) const { return File().string() + suffix; }

  void MakeFresh() {
    const std::vector<Migration> schema = Schema();
    auto database = Database::Open({Fresh()}, schema, logger_);
    ASSERT_TRUE(database);
    for (std::int64_t id = 1; id <= 3; ++id) {
      ASSERT_TRUE(Put(**database, id, "new " + std::to_string(id)));
    }
  }
  // A database that was killed: its last item stands in the log only.
  void MakeFormerWithLog() {
    const fs::path aside = directory_.Path() / "wal";
    {
      const auto database = Open();
      ASSERT_TRUE(Put(*database, 1, "old 1"));
      fs::copy_file(With("-wal"), aside);
      fs::copy_file(File(), directory_.Path() / "db");
    }
    fs::rename(directory_.Path() / "db", File());
    fs::rename(aside, With("-wal"));
  }
  std::int64_t ItemsNow() {
    const auto database = Open();
    return database ? CountItems(*database) : -1;
  }
};

TEST_F(DatabaseReplacementTest, PutsTheNewOneInPlaceAndKeepsTheFormerWithItsLog) {
  MakeFormerWithLog();
  MakeFresh();
  const Status done = ReplaceDatabase(File(), Fresh());
  ASSERT_TRUE(done) << done.error().message << done.error().cause;
  EXPECT_FALSE(fs::exists(Fresh()));
  EXPECT_FALSE(fs::exists(With(".incoming")));
  EXPECT_EQ(ItemsNow(), 3);
  const std::vector<Migration> schema = Schema();
  const auto former = Database::Open({With(".replaced")}, schema, logger_);
  ASSERT_TRUE(former);
  EXPECT_EQ(CountItems(**former), 1);  // read from the log that went with it
}

TEST_F(DatabaseReplacementTest, NeedsNoFormerDatabase) {
  MakeFresh();
  ASSERT_TRUE(ReplaceDatabase(File(), Fresh()));
  EXPECT_EQ(ItemsNow(), 3);
  EXPECT_FALSE(fs::exists(With(".replaced")));
}

TEST_F(DatabaseReplacementTest, TakesTheFormerWhateverStateItIsIn) {
  std::ofstream(File()) << "this is no database";
  std::ofstream(With("-wal")) << "nor a log";
  MakeFresh();
  ASSERT_TRUE(ReplaceDatabase(File(), Fresh()));
  EXPECT_EQ(ItemsNow(), 3);
  EXPECT_TRUE(fs::exists(With(".replaced-wal")));
}

TEST_F(DatabaseReplacementTest, DoesNotOverwriteWhatAnEarlierOneKept) {
  for (const char* const kept : {".replaced", ".replaced-wal"}) {
    SCOPED_TRACE(kept);
    fs::remove(Fresh());
    MakeFormerWithLog();
    MakeFresh();
    std::ofstream(With(kept)) << "kept";
    const Status refused = ReplaceDatabase(File(), Fresh());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kConflict);
    EXPECT_NE(refused.error().message.find(kept), std::string::npos) << refused.error().message;
    EXPECT_EQ(ItemsNow(), 1);
    fs::remove(With(kept));
    fs::remove(File());
  }
}

// The steps one after another, each left undone from some point on: what a crash leaves.
TEST_F(DatabaseReplacementTest, AnOpenFinishesWhatWasCutOffAtAnyStep) {
  for (int steps = 0; steps <= 4; ++steps) {
    SCOPED_TRACE(steps);
    MakeFormerWithLog();
    MakeFresh();
    std::ofstream(With("-shm")) << "x";
    const auto move = [&](const fs::path& from, const fs::path& to) { fs::rename(from, to); };
    move(Fresh(), With(".incoming"));
    if (steps > 0) move(With("-wal"), With(".replaced-wal"));
    if (steps > 1) fs::remove(With("-shm"));
    if (steps > 2) move(File(), With(".replaced"));
    if (steps > 3) move(With(".incoming"), File());
    EXPECT_EQ(ItemsNow(), 3);
    EXPECT_FALSE(fs::exists(With(".incoming")));
    EXPECT_TRUE(fs::exists(With(".replaced")));
    for (const char* const left : {"", ".replaced", ".replaced-wal"}) fs::remove(With(left));
  }
}

TEST_F(DatabaseReplacementTest, BeforeItIsDecidedTheFormerIsUntouched) {
  MakeFormerWithLog();
  MakeFresh();
  EXPECT_EQ(ItemsNow(), 1);
}

}  // namespace
}  // namespace coffer::storage
