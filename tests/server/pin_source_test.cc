#include "server/token/pin_source.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "fakes/temporary_directory.h"
#include "server/token/pin_guard.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

// Standard input is no terminal in a test: ctest gives none.
class PinSourceTest : public testing::Test {
 protected:
  PinSourceTest() { ::unsetenv("CREDENTIALS_DIRECTORY"); }
  ~PinSourceTest() override { ::unsetenv("CREDENTIALS_DIRECTORY"); }

  fs::path Write(std::string_view name, std::string_view text,
                 fs::perms mode = fs::perms::owner_read | fs::perms::owner_write) const {
    const fs::path file = folder_.Path() / name;
    std::ofstream(file) << text;
    fs::permissions(file, mode);
    return file;
  }

  fakes::TemporaryDirectory folder_;
};

TEST_F(PinSourceTest, ReadsTheConfiguredFileBeforeACredential) {
  const fs::path file = Write("pin", "from-the-file\n");
  Write("coffer-pin", "from-the-credential");
  ::setenv("CREDENTIALS_DIRECTORY", folder_.Path().c_str(), 1);
  const auto source = PinSource::Find(file, "coffer-pin", "PIN");
  ASSERT_TRUE(source);
  EXPECT_EQ(AsText(source->Read().value().Reveal()), "from-the-file");
  EXPECT_EQ(source->Name(), "the PIN in " + file.string());
}

TEST_F(PinSourceTest, ReadsTheCredentialWhereNoFileIsConfigured) {
  Write("coffer-pin", "from-the-credential");
  ::setenv("CREDENTIALS_DIRECTORY", folder_.Path().c_str(), 1);
  const auto source = PinSource::Find({}, "coffer-pin", "PIN");
  ASSERT_TRUE(source);
  EXPECT_EQ(AsText(source->Read().value().Reveal()), "from-the-credential");
  EXPECT_EQ(source->Name(), "the PIN of credential coffer-pin");
}

TEST_F(PinSourceTest, SaysWhatToDoWithoutFileCredentialAndTerminal) {
  const auto source = PinSource::Find({}, "coffer-pin", "SO PIN");
  ASSERT_FALSE(source);
  EXPECT_NE(source.error().message.find("there is no SO PIN"), std::string::npos);
}

TEST_F(PinSourceTest, RefusesAFileThatOthersCanReadOrItsGroupWrite) {
  const auto own = fs::perms::owner_read | fs::perms::owner_write;
  for (const fs::perms more :
       {fs::perms::others_read, fs::perms::others_write, fs::perms::group_write}) {
    const fs::path file = Write("pin", "x", own | more);
    const auto pin = PinSource::Find(file, "", "PIN").value().Read();
    ASSERT_FALSE(pin);
    EXPECT_NE(pin.error().message.find("chmod 0600"), std::string::npos);
  }
  const fs::path file = Write("pin", "x", own | fs::perms::group_read);
  EXPECT_TRUE(PinSource::Find(file, "", "PIN").value().Read());
}

TEST_F(PinSourceTest, TakesAContainersSecretOnTheOperatorsWordWhereOthersCanOnlyReadIt) {
  const auto mode = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
  const fs::path file = Write("pin", "x", mode);
  const auto refused = PinSource::Find(file, "", "PIN").value().Read();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("accept_readable_pin = true"), std::string::npos);
  EXPECT_TRUE(PinSource::Find(file, "", "PIN", true).value().Read());
  for (const fs::perms more : {fs::perms::others_write, fs::perms::group_write}) {
    fs::permissions(file, mode | more);
    EXPECT_FALSE(PinSource::Find(file, "", "PIN", true).value().Read());
  }
}

TEST_F(PinSourceTest, RefusesAFileThatHoldsMoreThanOneLine) {
  const fs::path file = Write("pin", "first\nsecond\n");
  const auto pin = PinSource::Find(file, "", "PIN").value().Read();
  ASSERT_FALSE(pin);
  EXPECT_EQ(pin.error().message,
            "the PIN file " + file.string() + " has several lines: the PIN stands in one, alone");
  EXPECT_FALSE(PinSource::Find(Write("pin", std::string(4097, '1')), "", "PIN").value().Read());
}

TEST_F(PinSourceTest, RefusesAFileThatIsMissingOrEmpty) {
  EXPECT_FALSE(PinSource::Find(folder_.Path() / "absent", "", "PIN").value().Read());
  EXPECT_FALSE(PinSource::Find(Write("pin", "\n"), "", "PIN").value().Read());
}

TEST_F(PinSourceTest, ARefusedFileIsNotTriedAgainUntilItChanges) {
  const fs::path file = Write("pin", "wrong");
  const auto source = PinSource::Find(file, "", "PIN").value();
  const PinGuard guard(source, folder_.Path() / "state");
  EXPECT_TRUE(guard.Check());
  ASSERT_TRUE(guard.RememberRefusal());
  const Status refused = guard.Check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kPinIncorrect);
  std::ofstream(file) << "corrected";  // another size
  EXPECT_TRUE(guard.Check());
}

TEST_F(PinSourceTest, ARefusedCredentialIsNotTriedAgainAlthoughItsFileIsFresh) {
  ::setenv("CREDENTIALS_DIRECTORY", folder_.Path().c_str(), 1);
  const fs::path state = folder_.Path() / "state";
  Write("coffer-pin", "wrong");
  const auto before = PinSource::Find({}, "coffer-pin", "PIN").value();
  ASSERT_TRUE(PinGuard(before, state).RememberRefusal());
  Write("coffer-pin", "as fresh as systemd makes it");
  const auto after = PinSource::Find({}, "coffer-pin", "PIN").value();
  const Status refused = PinGuard(after, state).Check();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(state.string()), std::string::npos);
  PinGuard(after, state).Forget();
  EXPECT_TRUE(PinGuard(after, state).Check());
}

}  // namespace
}  // namespace coffer::server
