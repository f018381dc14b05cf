#include "server/token/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fakes/temporary_directory.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

class SecretFileTest : public ::testing::Test {
 protected:
  fs::path In(const char* name) const { return fs::path(directory_.Path()) / name; }
  static std::string ContentOf(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Status Write(std::string_view secret) const {
    return WriteSecretFile(In("pin"), SecretBytes::CopyOf(AsBytes(secret)));
  }

  const fakes::TemporaryDirectory directory_;
};

TEST_F(SecretFileTest, ReplacesTheFileAndLeavesNothingBesideIt) {
  ASSERT_TRUE(Write("old"));
  ASSERT_TRUE(Write("fresh"));
  EXPECT_EQ(ContentOf(In("pin")), "fresh\n");
  EXPECT_EQ(fs::status(In("pin")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_.Path()), {}), 1);
}

TEST_F(SecretFileTest, TakesAwayWhatAnInterruptedRunLeft) {
  std::ofstream(In("pin.new")) << "a torn and much longer secret";
  ASSERT_TRUE(Write("fresh"));
  EXPECT_EQ(ContentOf(In("pin")), "fresh\n");
  EXPECT_FALSE(fs::exists(In("pin.new")));
}

TEST_F(SecretFileTest, DoesNotFollowALinkThatWasPlanted) {
  ASSERT_TRUE(Write("old"));
  std::ofstream(In("victim")) << "precious";
  for (const char* const target : {"victim", "not there yet"}) {
    fs::create_symlink(In(target), In("pin.new"));
    const Status done = Write("fresh");
    ASSERT_FALSE(done) << target;
    EXPECT_EQ(done.error().code, Code::kConflict);
    EXPECT_NE(done.error().message.find("pin.new"), std::string::npos) << done.error().message;
    fs::remove(In("pin.new"));
  }
  EXPECT_EQ(ContentOf(In("victim")), "precious");
  EXPECT_FALSE(fs::exists(In("not there yet")));
  EXPECT_EQ(ContentOf(In("pin")), "old\n");
}

TEST_F(SecretFileTest, WritesNothingIntoAFileThatHasAnotherName) {
  std::ofstream(In("victim")) << "precious";
  fs::create_hard_link(In("victim"), In("pin.new"));
  ASSERT_TRUE(Write("fresh"));
  EXPECT_EQ(ContentOf(In("victim")), "precious");
  EXPECT_EQ(ContentOf(In("pin")), "fresh\n");
}

TEST_F(SecretFileTest, DoesNotWriteIntoAPipe) {
  ASSERT_EQ(::mkfifo(In("pin.new").c_str(), 0600), 0);
  EXPECT_FALSE(Write("fresh"));
  EXPECT_FALSE(fs::exists(In("pin")));
}

}  // namespace
}  // namespace coffer::server
