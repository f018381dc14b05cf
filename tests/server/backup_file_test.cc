#include "server/backup/backup_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

#include "fakes/temporary_directory.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

class BackupFileTest : public ::testing::Test {
 protected:
  fs::path Path(const char* name) const { return directory_.Path() / name; }

  // A backup of `content`, under a MAC that no token made.
  void Write(const std::string& content) {
    std::ofstream(Path("backup"), std::ios::binary) << content;
    keyring::BackupManifest manifest;
    manifest.token_check = Bytes(16, 1);
    ASSERT_TRUE(Measure(Path("backup"), manifest));
    keyring::Mac mac{};
    mac.fill(2);
    ASSERT_TRUE(AppendManifest(Path("backup"), keyring::EncodeManifest(manifest), mac));
    std::ifstream in(Path("backup"), std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    octets_ = all.str();
  }
  Status Extract(const std::string& octets) {
    std::ofstream(Path("changed"), std::ios::binary) << octets;
    COFFER_ASSIGN(const BackupReader reader, BackupReader::Open(Path("changed")));
    return reader.ExtractTo(Path("out"), [](std::int64_t, std::int64_t) {});
  }
  std::string Extracted() const {
    std::ifstream in(Path("out"), std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }

  const fakes::TemporaryDirectory directory_;
  std::string octets_;
};

TEST_F(BackupFileTest, GivesBackWhatWasPutIn) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{3} * 1024 * 1024 + 5}) {
    SCOPED_TRACE(size);
    fs::remove(Path("out"));
    const std::string content(size, 'x');
    Write(content);
    const Status done = Extract(octets_);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(Extracted() == content);
    struct stat status {};
    ASSERT_EQ(::stat(Path("out").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
  }
}

TEST_F(BackupFileTest, IsRefusedCutAnywhereAndWithOctetsBehind) {
  Write("content");
  for (std::size_t size = 0; size < octets_.size(); ++size) {
    EXPECT_FALSE(Extract(octets_.substr(0, size))) << size;
  }
  EXPECT_FALSE(Extract(octets_ + "x"));
  EXPECT_FALSE(Extract("x" + octets_));
  EXPECT_FALSE(fs::exists(Path("out")));
}

// But for the MAC, which only the token can judge, and for the facts that it alone vouches for.
TEST_F(BackupFileTest, IsRefusedWithAnyOctetOfContentOrTrailerChanged) {
  const std::string content = "content";
  Write(content);
  for (std::size_t i = 0; i < octets_.size(); ++i) {
    if (i >= content.size() && i < octets_.size() - 12) continue;
    std::string changed = octets_;
    changed[i] = static_cast<char>(changed[i] ^ 0x40);
    EXPECT_FALSE(Extract(changed)) << i;
  }
  EXPECT_FALSE(fs::exists(Path("out")));
}

TEST_F(BackupFileTest, OverwritesNothingWhenItIsExtracted) {
  Write("content");
  std::ofstream(Path("out")) << "mine";
  EXPECT_FALSE(Extract(octets_));
  EXPECT_EQ(Extracted(), "mine");
}

}  // namespace
}  // namespace coffer::server
