#include "server/token/trusted_path.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "fakes/temporary_directory.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kSomebody = 54321;
constexpr gid_t kSomeGroup = 54322;

class TrustedPathTest : public testing::Test {
 protected:
  TrustedPathTest() {
    fs::create_directories(In("a/b"));
    std::ofstream(In("a/b/file")) << "x";
    for (const char* const name : {"a", "a/b", "a/b/file"}) Mode(name, 0700);
  }

  fs::path In(std::string_view name) const { return folder_.Path() / name; }
  void Mode(std::string_view name, mode_t mode) const {
    ASSERT_EQ(::chmod(In(name).c_str(), mode), 0);
  }
  // The text of the refusal; empty if the path is trusted.
  std::string Refusal(std::string_view name) const {
    const Status checked = CheckTrustedPath("the thing", In(name));
    if (checked) return "";
    EXPECT_EQ(checked.error().code, Code::kInvalid);
    const std::string prefix = "the thing " + In(name).string() + ": ";
    EXPECT_TRUE(checked.error().message.starts_with(prefix)) << checked.error().message;
    return checked.error().message.substr(std::min(prefix.size(), checked.error().message.size()));
  }
  std::string ChmodOf(std::string_view who, std::string_view name) const {
    return "chmod " + std::string(who) + "-w " + In(name).string();
  }

  fakes::TemporaryDirectory folder_;
};

TEST_F(TrustedPathTest, TakesWhatOnlyItsUserCanWrite) {
  EXPECT_EQ(Refusal("a/b/file"), "");
  EXPECT_EQ(Refusal("a/b"), "");
  Mode("a", 0755);
  Mode("a/b/file", 0644);
  EXPECT_EQ(Refusal("a/b/file"), "");
}

TEST_F(TrustedPathTest, RefusesWhatEverybodyCanWriteAndSaysHowToCloseIt) {
  for (const char* const name : {"a/b/file", "a/b", "a"}) {
    Mode(name, 0777);
    EXPECT_EQ(Refusal("a/b/file"),
              "everybody can write " + In(name).string() + ": " + ChmodOf("o", name));
    Mode(name, 0700);
  }
}

TEST_F(TrustedPathTest, RefusesWhatAGroupCanWriteUnlessItIsRoots) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  for (const char* const name : {"a/b/file", "a/b", "a"}) {
    ASSERT_EQ(::chown(In(name).c_str(), 0, kSomeGroup), 0);
    Mode(name, 0770);
    EXPECT_NE(Refusal("a/b/file").find(ChmodOf("g", name)), std::string::npos) << name;
    ASSERT_EQ(::chown(In(name).c_str(), 0, 0), 0);
    EXPECT_EQ(Refusal("a/b/file"), "");
    Mode(name, 0700);
  }
}

TEST_F(TrustedPathTest, RefusesWhatBelongsToSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  for (const char* const name : {"a/b/file", "a/b", "a"}) {
    ASSERT_EQ(::chown(In(name).c_str(), kSomebody, 0), 0);
    EXPECT_NE(Refusal("a/b/file").find(In(name).string() + " belongs to 54321, not to root"),
              std::string::npos)
        << Refusal("a/b/file");
    ASSERT_EQ(::chown(In(name).c_str(), 0, 0), 0);
  }
}

TEST_F(TrustedPathTest, TakesADirectoryAboveThatIsSticky) {
  Mode("a", 01777);
  EXPECT_EQ(Refusal("a/b/file"), "");
  // In the directory itself somebody else could still make a file that was not there.
  EXPECT_NE(Refusal("a"), "");
}

TEST_F(TrustedPathTest, FollowsLinksAndJudgesWhereTheyStandAndWhereTheyLead) {
  fs::create_directories(In("open"));
  Mode("open", 0777);
  fs::create_symlink("../a/b/file", In("open/link"));
  EXPECT_NE(Refusal("open/link").find(ChmodOf("o", "open")), std::string::npos);
  fs::create_symlink(In("open"), In("a/way"));
  EXPECT_NE(Refusal("a/way/link").find(ChmodOf("o", "open")), std::string::npos);
  Mode("open", 0755);
  EXPECT_EQ(Refusal("open/link"), "");
  EXPECT_EQ(Refusal("a/way/link"), "");
  Mode("a/b/file", 0666);
  EXPECT_NE(Refusal("a/way/link").find(ChmodOf("o", "a/b/file")), std::string::npos);
}

TEST_F(TrustedPathTest, RefusesALinkOfSomebodyElseInAStickyDirectory) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  Mode("a", 01777);
  fs::create_symlink("b", In("a/link"));
  EXPECT_EQ(Refusal("a/link/file"), "");
  ASSERT_EQ(::lchown(In("a/link").c_str(), kSomebody, 0), 0);
  EXPECT_NE(Refusal("a/link/file").find("a/link belongs to"), std::string::npos);
}

TEST_F(TrustedPathTest, EndsWithLinksThatHaveNoEnd) {
  fs::create_symlink("turn", In("a/turn"));
  EXPECT_NE(Refusal("a/turn").find("has no end"), std::string::npos);
}

TEST_F(TrustedPathTest, JudgesWhatIsNotThereYetByWhatIs) {
  EXPECT_EQ(Refusal("a/b/absent/deeper"), "");
  EXPECT_EQ(Refusal("a/b/file/deeper"), "");
  Mode("a/b", 0777);
  EXPECT_NE(Refusal("a/b/absent"), "");
}

TEST_F(TrustedPathTest, ReadsARelativePathFromTheWorkingDirectory) {
  const fs::path before = fs::current_path();
  fs::current_path(In("a"));
  Mode("a/b/file", 0666);
  const Status inner = CheckTrustedPath("the thing", "b/./../b//file");
  fs::current_path(before);
  ASSERT_FALSE(inner);
  EXPECT_NE(inner.error().message.find("chmod o-w"), std::string::npos);
}

}  // namespace
}  // namespace coffer::server
