#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "coffer/storage/database.h"
#include "storage/database_fixture.h"

namespace coffer::storage {
namespace {

class DatabaseCopyTest : public DatabaseFixture {
 protected:
  std::filesystem::path Copy() const { return directory_.Path() / "copy.db"; }

  Result<std::unique_ptr<Database>> OpenCopy() {
    const std::vector<Migration> schema = Schema();
    return Database::Open({Copy()}, schema, logger_);
  }
  static std::string Content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }
  bool AnythingOf(const std::filesystem::path& file) const {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      if (std::filesystem::exists(file.string() + suffix)) return true;
    }
    return false;
  }
};

TEST_F(DatabaseCopyTest, IsOneWholeFileForItsOwnerOnly) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "one"));
  {
    auto reader = database->Read();
    ASSERT_TRUE(reader->CopyTo(Copy(), {}));
  }
  struct stat status {};
  ASSERT_EQ(::stat(Copy().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    EXPECT_FALSE(std::filesystem::exists(Copy().string() + suffix)) << suffix;
  }
  const std::string content = Content(Copy());
  ASSERT_GT(content.size(), 100U);
  EXPECT_EQ(content[18], 1);  // the file format's version for writing: no log
  EXPECT_EQ(content[19], 1);  // and for reading
  const auto copy = OpenCopy();
  ASSERT_TRUE(copy) << copy.error().message;
  EXPECT_EQ(CountItems(**copy), 1);
}

TEST_F(DatabaseCopyTest, HoldsTheReadersSnapshotWhileTheWriterGoesOn) {
  const auto database = Open();
  const Bytes filling(4000, 7);
  for (std::int64_t id = 0; id < 600; ++id) {
    ASSERT_TRUE(Put(*database, id, "before " + std::to_string(id), filling));
  }
  auto reader = database->Read();
  ASSERT_EQ(Number(*reader, "SELECT count(*) FROM item"), 600);
  // One more row between any two steps of the copy.
  std::int64_t next = 600;
  int steps = 0;
  std::int64_t last_done = 0;
  const Status copied = reader->CopyTo(Copy(), [&](std::int64_t done, std::int64_t total) {
    EXPECT_GT(done, last_done);  // it never begins anew
    EXPECT_LE(done, total);
    last_done = done;
    ++steps;
    EXPECT_TRUE(Put(*database, next, "during " + std::to_string(next)));
    ++next;
    return true;
  });
  ASSERT_TRUE(copied) << copied.error().message << copied.error().cause;
  EXPECT_GT(steps, 1);
  const auto copy = OpenCopy();
  ASSERT_TRUE(copy);
  EXPECT_EQ(CountItems(**copy), 600);
  EXPECT_EQ(CountItems(*database), next);
}

TEST_F(DatabaseCopyTest, IsNotHeldUpByAThreadThatWritesWithoutPause) {
  const auto database = Open();
  const Bytes filling(4000, 7);
  for (std::int64_t id = 0; id < 300; ++id) {
    ASSERT_TRUE(Put(*database, id, "before " + std::to_string(id), filling));
  }
  std::atomic<bool> end{false};
  std::atomic<std::int64_t> written{300};
  std::thread writer([&] {
    while (!end.load()) {
      ASSERT_TRUE(Put(*database, written.load(), "during " + std::to_string(written.load())));
      ++written;
    }
  });
  Status copied;
  {
    auto reader = database->Read();
    copied = reader->CopyTo(Copy(), {});
  }
  end.store(true);
  writer.join();
  ASSERT_TRUE(copied) << copied.error().message;
  const auto copy = OpenCopy();
  ASSERT_TRUE(copy);
  const std::int64_t held = CountItems(**copy);
  EXPECT_GE(held, 300);
  auto reader = (*copy)->Read();
  EXPECT_EQ(Number(*reader, "SELECT max(id) + 1 FROM item"), held);  // a prefix of what was written
}

TEST_F(DatabaseCopyTest, OverwritesNothing) {
  const auto database = Open();
  std::ofstream(Copy()) << "mine";
  auto reader = database->Read();
  const Status refused = reader->CopyTo(Copy(), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_EQ(Content(Copy()), "mine");
}

TEST_F(DatabaseCopyTest, FollowsNoSymbolicLink) {
  const auto database = Open();
  const std::filesystem::path target = directory_.Path() / "elsewhere";
  std::filesystem::create_symlink(target, Copy());
  auto reader = database->Read();
  EXPECT_FALSE(reader->CopyTo(Copy(), {}));
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(DatabaseCopyTest, LeavesNoFileWhereItWasBrokenOff) {
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "one"));
  {
    auto reader = database->Read();
    const Status broken = reader->CopyTo(Copy(), [](std::int64_t, std::int64_t) { return false; });
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().message, "the copy was broken off");
  }
  EXPECT_FALSE(AnythingOf(Copy()));
}

TEST_F(DatabaseCopyTest, LeavesNoFileWhereTheDatabaseIsDamaged) {
  {
    const auto database = Open();
    for (std::int64_t id = 0; id < 200; ++id) {
      ASSERT_TRUE(Put(*database, id, "a name of some length " + std::to_string(id)));
    }
  }
  const auto database = Open();  // its quick check has found nothing
  {
    std::fstream file(File(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2 * 4096);
    file << std::string(512, '\xff');
  }
  auto reader = database->Read();
  const Status refused = reader->CopyTo(Copy(), {});
  ASSERT_FALSE(refused) << "the copy of a damaged database passed for whole";
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_FALSE(AnythingOf(Copy()));
}

TEST_F(DatabaseCopyTest, NamesTheStepsOfTheSchema) {
  const auto database = Open();
  auto reader = database->Read();
  EXPECT_EQ(*reader->SchemaSteps(), "storage 1, test 1");
}

}  // namespace
}  // namespace coffer::storage
