#include "coffer/storage/directory_lock.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <optional>

#include "fakes/temporary_directory.h"
#include "storage/victim_process.h"

namespace coffer::storage {
namespace {

std::string InUse(const fakes::TemporaryDirectory& directory, pid_t pid) {
  return "data directory " + directory.Path().string() + " is in use by process " +
         std::to_string(pid);
}

TEST(DirectoryLock, RefusesASecondHolderAndNamesTheFirst) {
  const fakes::TemporaryDirectory directory;
  const auto first = DirectoryLock::Acquire(directory.Path());
  ASSERT_TRUE(first);
  const auto second = DirectoryLock::Acquire(directory.Path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_EQ(second.error().message, InUse(directory, ::getpid()));
}

TEST(DirectoryLock, IsFreeAfterDestructionAndItsFileStays) {
  const fakes::TemporaryDirectory directory;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(DirectoryLock::Acquire(directory.Path()));
  EXPECT_TRUE(std::filesystem::exists(directory.Path() / "lock"));
}

TEST(DirectoryLock, MovesWithItsOwner) {
  const fakes::TemporaryDirectory directory;
  auto lock = DirectoryLock::Acquire(directory.Path());
  ASSERT_TRUE(lock);
  {
    const DirectoryLock inner = std::move(*lock);
    EXPECT_FALSE(DirectoryLock::Acquire(directory.Path()));
  }
  EXPECT_TRUE(DirectoryLock::Acquire(directory.Path()));
}

TEST(DirectoryLock, NamesAnotherProcessAndIsFreeOnceThatIsKilled) {
  const fakes::TemporaryDirectory directory;
  VictimProcess holder("lock", directory.Path().string());
  ASSERT_EQ(holder.ReadLine(), "held");
  const auto refused = DirectoryLock::Acquire(directory.Path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, InUse(directory, holder.Pid()));
  VictimProcess second("lock", directory.Path().string());
  EXPECT_EQ(second.ReadLine(), InUse(directory, holder.Pid()));
  holder.Kill();
  EXPECT_TRUE(DirectoryLock::Acquire(directory.Path()));
}

TEST(DirectoryLock, ReplacesTheNumberOfALongerGoneHolder) {
  const fakes::TemporaryDirectory directory;
  std::ofstream(directory.Path() / "lock") << "99999999999999999999\nleft over\n";
  const auto lock = DirectoryLock::Acquire(directory.Path());
  ASSERT_TRUE(lock);
  std::ifstream file(directory.Path() / "lock");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, std::to_string(::getpid()) + "\n");
}

TEST(DirectoryLock, SaysWhyItCannotBeTaken) {
  const auto lock = DirectoryLock::Acquire("/nonexistent-coffer");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().message,
            "failed to open /nonexistent-coffer/lock: No such file or directory");
}

TEST(DirectoryLock, DoesNotFollowALinkThatSomebodyPutThere) {
  const fakes::TemporaryDirectory directory;
  std::filesystem::create_symlink(directory.Path() / "target", directory.Path() / "lock");
  EXPECT_FALSE(DirectoryLock::Acquire(directory.Path()));
  EXPECT_FALSE(std::filesystem::exists(directory.Path() / "target"));
}

}  // namespace
}  // namespace coffer::storage
