#include "server/token/token_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "fakes/temporary_directory.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

class TokenFilesTest : public testing::Test {
 protected:
  TokenFilesTest() { fs::create_directory(folder_.Path() / "one"); }
  void Write(const std::string& octets) const {
    std::ofstream(Own(), std::ios::binary | std::ios::trunc) << octets;
  }
  Status Keep() { return KeepTokenFiles(folder_.Path(), logger_); }
  fs::path Own() const { return folder_.Path() / "one" / "token.object"; }
  fs::path Kept() const { return folder_.Path() / "one" / "token.object.kept"; }
  static std::string Content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fakes::TemporaryDirectory folder_;
  NullLogger logger_;
};

TEST_F(TokenFilesTest, PutsBackWhatWasThereBeforeTheFileWasEmptied) {
  const std::string octets("\0\n\r a\0", 6);
  Write(octets);
  ASSERT_TRUE(Keep());
  Write("");
  ASSERT_TRUE(Keep());
  EXPECT_EQ(Content(Own()), octets);
  EXPECT_EQ(Content(Kept()), octets);
  EXPECT_EQ(fs::status(Own()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(TokenFilesTest, KeepsTheLatest) {
  Write("former");
  ASSERT_TRUE(Keep());
  Write("latest");
  ASSERT_TRUE(Keep());
  EXPECT_EQ(Content(Own()), "latest");
  Write("");
  ASSERT_TRUE(Keep());
  EXPECT_EQ(Content(Own()), "latest");
}

TEST_F(TokenFilesTest, AnEmptyFileWithoutACopyStaysAsItIs) {
  Write("");
  ASSERT_TRUE(Keep());
  EXPECT_EQ(Content(Own()), "");
  EXPECT_FALSE(fs::exists(Kept()));
}

TEST_F(TokenFilesTest, OtherTokensFilesAreNoneOfItsBusiness) {
  std::ofstream(folder_.Path() / "one" / "cert9.db") << "x";
  std::ofstream(folder_.Path() / "two") << "x";
  EXPECT_TRUE(Keep());
  EXPECT_TRUE(KeepTokenFiles({}, logger_));
  EXPECT_TRUE(KeepTokenFiles(folder_.Path() / "nowhere", logger_));
  EXPECT_FALSE(fs::exists(Kept()));
}

TEST_F(TokenFilesTest, WhatCannotBeKeptIsAnError) {
  Write("octets");
  fs::create_directory(Kept().string() + ".new");
  EXPECT_EQ(Keep().error().code, Code::kConflict);
}

}  // namespace
}  // namespace coffer::server
