#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "storage/database_fixture.h"

namespace coffer::storage {
namespace {

constexpr char kFullText[] =
    "storage is full: free space on the data directory's file system and try again";

class FullDiskTest : public DatabaseFixture {
 protected:
  // Adds rows of 8 KiB until one is refused; how many were acknowledged.
  static std::int64_t FillUp(Database& database, std::int64_t first, Status& refusal) {
    for (std::int64_t id = first; id < first + 10'000; ++id) {
      refusal = Put(database, id, std::to_string(id), Bytes(8192, 9));
      if (!refusal) return id - first;
    }
    return -1;
  }
  // The story of a full disk: the write is refused, nothing acknowledged is lost, reads go on, and
  // the same connection works again as soon as `make_room` has run.
  void Survives(const std::filesystem::path& file, const std::function<void()>& make_room) {
    {
      auto opened = Database::Open({file}, Schema(), logger_);
      ASSERT_TRUE(opened) << opened.error().cause;
      Database& database = **opened;
      Status refusal;
      const std::int64_t kept = FillUp(database, 0, refusal);
      ASSERT_GT(kept, 0) << refusal.error().message << refusal.error().cause;
      EXPECT_EQ(refusal.error().code, Code::kUnavailable) << refusal.error().cause;
      EXPECT_EQ(refusal.error().message, kFullText) << refusal.error().cause;
      EXPECT_EQ(CountItems(database), kept);
      EXPECT_FALSE(Put(database, 20'000, "still full", Bytes(8192, 9)));
      EXPECT_EQ(CountItems(database), kept);
      make_room();
      ASSERT_TRUE(Put(database, 30'000, "room again", Bytes(8192, 9)));
      EXPECT_EQ(CountItems(database), kept + 1);
      kept_ = kept + 1;
    }
    auto again = Database::Open({file}, Schema(), logger_);
    ASSERT_TRUE(again) << again.error().message << again.error().cause;
    EXPECT_EQ(CountItems(**again), kept_);
  }
  std::int64_t kept_ = 0;
};

void SetFileSizeLimit(rlim_t octets) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = octets == RLIM_INFINITY ? limit.rlim_max : octets;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST_F(FullDiskTest, RefusesWritesAtAFileSizeLimitAndGoesOnBehindIt) {
  ASSERT_NE(::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  SetFileSizeLimit(2 << 20);
  Survives(File(), [] { SetFileSizeLimit(RLIM_INFINITY); });
  SetFileSizeLimit(RLIM_INFINITY);
}

// A small tmpfs that only this process sees; false where the kernel does not let us.
bool MountSmallDisk(const std::filesystem::path& at) {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("coffer-test", at.c_str(), "tmpfs", 0, "size=2m") == 0;
}

TEST_F(FullDiskTest, RefusesWritesOnAFullFileSystemAndGoesOnWhenThereIsRoom) {
  const std::filesystem::path disk = directory_.Path() / "disk";
  ASSERT_TRUE(std::filesystem::create_directory(disk));
  if (!MountSmallDisk(disk)) GTEST_SKIP() << "needs the right to mount a tmpfs";
  std::ofstream(disk / "ballast") << std::string(std::size_t{512} << 10, 'b');
  Survives(disk / "coffer.db", [&] { std::filesystem::remove(disk / "ballast"); });
  ::umount(disk.c_str());
}

TEST_F(FullDiskTest, CommitsNothingOfATransactionThatFilledTheDisk) {
  ASSERT_NE(::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  const auto database = Open();
  ASSERT_TRUE(Put(*database, 1, "before"));
  SetFileSizeLimit(1 << 20);
  {
    auto transaction = database->Begin();
    ASSERT_TRUE(PutInto(*transaction, 2, "small"));
    // The transaction is larger than SQLite's page cache, so it must write to the log before
    // COMMIT, on the full disk.
    Status put;
    for (std::int64_t id = 3; put && id < 3000; ++id) {
      put = PutInto(*transaction, id, std::to_string(id), Bytes(8192, 9));
    }
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().message, kFullText);
    // SQLite has rolled back: what follows must not commit by itself.
    EXPECT_FALSE(PutInto(*transaction, 5000, "after"));
    const Status committed = transaction->Commit();
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().message, kFullText);
  }
  SetFileSizeLimit(RLIM_INFINITY);
  EXPECT_EQ(CountItems(*database), 1);
  EXPECT_TRUE(Put(*database, 6000, "behind"));
  EXPECT_EQ(CountItems(*database), 2);
}

}  // namespace
}  // namespace coffer::storage
