#include "coffer/pkcs11/module.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <thread>

#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

using ModuleTest = TokenTest;

TEST(ModuleLoad, SaysWhatToDoWhenTheFileIsMissing) {
  const auto module = Module::Load("/nonexistent/libtoken.so", Threading::kOsLocking);
  ASSERT_TRUE(FailsWith(module, Code::kNotFound));
  EXPECT_EQ(module.error().message,
            "failed to find the pkcs11 module /nonexistent/libtoken.so: No such file or directory; "
            "install the token's package or correct the path");
}

TEST(ModuleLoad, RefusesARelativePathAndAFolder) {
  EXPECT_TRUE(FailsWith(Module::Load("libsofthsm2.so", Threading::kSingle), Code::kInvalid));
  EXPECT_TRUE(FailsWith(Module::Load("/tmp", Threading::kSingle), Code::kInvalid));
}

TEST(ModuleLoad, RefusesAFileThatIsNoSharedLibrary) {
  const fakes::SoftHsmToken token;
  const auto module = Module::Load(token.ConfigFile(), Threading::kSingle);
  ASSERT_TRUE(FailsWith(module, Code::kInvalid));
  EXPECT_NE(module.error().message.find(token.ConfigFile().string()), std::string::npos);
}

TEST(ModuleLoad, RefusesALibraryWithoutPkcs11Functions) {
  Dl_info library{};
  // The C++ library's: sanitizers put C functions into the program itself.
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(&std::terminate), &library), 0);
  const auto path = std::filesystem::canonical(library.dli_fname);
  const auto module = Module::Load(path, Threading::kSingle);
  ASSERT_TRUE(FailsWith(module, Code::kInvalid));
  EXPECT_NE(module.error().message.find("is not a pkcs11 module"), std::string::npos)
      << module.error().message;
}

TEST(ModuleLoad, PointsToTheConfigurationWhenTheModuleDoesNotInitialise) {
  const fakes::SoftHsmToken token;
  ASSERT_EQ(::setenv("SOFTHSM2_CONF", "/nonexistent/softhsm2.conf", 1), 0);
  const auto module = Module::Load(token.Library(), Threading::kSingle, token.NewCopyPath());
  ASSERT_TRUE(FailsWith(module, Code::kInvalid));
  EXPECT_NE(module.error().message.find("SOFTHSM2_CONF"), std::string::npos);
}

TEST(ModuleLoad, RefusesTheSameLibraryTwiceWithoutACopy) {
  const fakes::SoftHsmToken token;
  const auto first = Module::Load(token.Library(), Threading::kOsLocking);
  ASSERT_TRUE(Succeeds(first));
  EXPECT_TRUE(FailsWith(Module::Load(token.Library(), Threading::kOsLocking), Code::kConflict));
}

TEST(ModuleLoad, TakesTheSameLibraryAgainOnceTheFirstIsGone) {
  const fakes::SoftHsmToken token;
  ASSERT_TRUE(Succeeds(Module::Load(token.Library(), Threading::kOsLocking)));
  EXPECT_TRUE(Succeeds(Module::Load(token.Library(), Threading::kOsLocking)));
}

TEST(ModuleLoad, LeavesNoCopyBehind) {
  const fakes::SoftHsmToken token;
  const auto copy = token.NewCopyPath();
  std::ofstream(copy) << "left by a killed predecessor";
  const auto module = Module::Load(token.Library(), Threading::kSingle, copy);
  ASSERT_TRUE(Succeeds(module));
  EXPECT_FALSE(std::filesystem::exists(copy));
}

TEST(ModuleLoad, RefusesACopyPathUsedBefore) {
  const fakes::SoftHsmToken token;
  const auto copy = token.NewCopyPath();
  const auto first = Module::Load(token.Library(), Threading::kSingle, copy);
  ASSERT_TRUE(Succeeds(first));
  EXPECT_TRUE(FailsWith(Module::Load(token.Library(), Threading::kSingle, copy), Code::kInvalid));
}

TEST(ModuleLoad, SaysWhyTheCopyCannotBeWritten) {
  const fakes::SoftHsmToken token;
  const auto module =
      Module::Load(token.Library(), Threading::kSingle, "/nonexistent/folder/copy.so");
  ASSERT_TRUE(FailsWith(module, Code::kInvalid));
  EXPECT_NE(module.error().message.find("/nonexistent/folder/copy.so"), std::string::npos);
}

TEST(ModuleLoad, ProbesTheFileWithoutInitialisingIt) {
  const fakes::SoftHsmToken token;
  ASSERT_EQ(::setenv("SOFTHSM2_CONF", "/nonexistent/softhsm2.conf", 1), 0);
  EXPECT_TRUE(Succeeds(Module::Probe(token.Library(), token.NewCopyPath())));
  EXPECT_TRUE(FailsWith(Module::Probe(token.ConfigFile()), Code::kInvalid));
  EXPECT_TRUE(FailsWith(Module::Probe("/nonexistent/libtoken.so"), Code::kNotFound));
  EXPECT_TRUE(FailsWith(Module::Probe(token.Library(), "/nonexistent/copy.so"), Code::kInvalid));
}

TEST_F(ModuleTest, TellsLibraryAndTokenFacts) {
  const auto info = module_->Info();
  ASSERT_TRUE(Succeeds(info));
  EXPECT_FALSE(info->library_description.empty());
  EXPECT_EQ(info->cryptoki_version.substr(0, 2), "2.");
  const auto slot = module_->FindToken(token_.Label());
  ASSERT_TRUE(Succeeds(slot));
  const auto facts = module_->GetTokenInfo(*slot);
  ASSERT_TRUE(Succeeds(facts));
  EXPECT_EQ(facts->label, token_.Label());
  EXPECT_EQ(facts->serial, token_.Serial());
  EXPECT_TRUE(facts->initialized);
  EXPECT_TRUE(facts->user_pin_initialized);
  EXPECT_FALSE(facts->user_pin_locked);
  EXPECT_EQ(facts->min_pin_octets, 4U);
  EXPECT_EQ(facts->max_pin_octets, 255U);
}

TEST_F(ModuleTest, FindsATokenByLabelAndSerialOnly) {
  EXPECT_TRUE(Succeeds(module_->FindToken(token_.Label(), token_.Serial())));
  EXPECT_TRUE(FailsWith(module_->FindToken(token_.Label(), "0000"), Code::kNotFound));
  // A prefix is another label, although both are padded to 32 bytes.
  EXPECT_TRUE(FailsWith(module_->FindToken("coffer"), Code::kNotFound));
}

TEST_F(ModuleTest, NamesTheTokensThatThereAreWhereNoneIsTheRightOne) {
  const auto missing = module_->FindToken("coffer");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "no token labelled \"coffer\"; there are \"" + token_.Label() +
                                         "\" (serial number " + token_.Serial() + ")");
  // A label of the token's choosing must not drive a terminal.
  token_.Initialize("a\x1b[2Jb", token_.SoPin(), token_.UserPin());
  const auto module = token_.Load();
  EXPECT_NE(module->FindToken("coffer").error().message.find("\"a?[2Jb\" (serial"),
            std::string::npos);
}

TEST_F(ModuleTest, AsksForTheSerialWhereTwoTokensShareALabel) {
  const auto serial = token_.Initialize(token_.Label(), token_.SoPin(), token_.UserPin());
  const auto module = token_.Load();
  EXPECT_TRUE(FailsWith(module->FindToken(token_.Label()), Code::kConflict));
  const auto slot = module->FindToken(token_.Label(), serial);
  ASSERT_TRUE(Succeeds(slot));
  EXPECT_EQ(module->GetTokenInfo(*slot)->serial, serial);
}

TEST_F(ModuleTest, RefusesATokenLabelThatDoesNotFit) {
  const auto slot = module_->FindUninitialized();
  ASSERT_TRUE(Succeeds(slot));
  const std::string label(33, 'x');
  EXPECT_TRUE(FailsWith(module_->InitToken(*slot, token_.SoPin(), label, token_.UserPin()),
                        Code::kInvalid));
  EXPECT_TRUE(
      FailsWith(module_->InitToken(*slot, token_.SoPin(), "", token_.UserPin()), Code::kInvalid));
}

TEST_F(ModuleTest, ListsMechanisms) {
  const auto slot = module_->FindToken(token_.Label());
  ASSERT_TRUE(Succeeds(slot));
  const auto mechanisms = module_->Mechanisms(*slot);
  ASSERT_TRUE(Succeeds(mechanisms));
  EXPECT_NE(std::find(mechanisms->begin(), mechanisms->end(), MechanismType::kAesGcm),
            mechanisms->end());
}

TEST_F(ModuleTest, CopiesHaveLoginsAndObjectsOfTheirOwn) {
  NewDataKey();
  const auto other = token_.Load();
  auto session = other->OpenSession(*other->FindToken(token_.Label()));
  ASSERT_TRUE(Succeeds(session));
  EXPECT_TRUE(
      FailsWith(session->GenerateKey(MechanismType::kAesKeyGen, DataKey()), Code::kTokenLost));
  ASSERT_TRUE(Succeeds(other->Login(*session, UserType::kUser, token_.UserPin())));
  EXPECT_EQ(session->Find({})->size(), 0U);
  EXPECT_EQ(session_.Find({})->size(), 1U);
}

TEST_F(ModuleTest, ReinitializingOneCopyLeavesTheOthersAlone) {
  const ObjectHandle key = NewMacKey();
  const auto other = token_.Load();
  ASSERT_TRUE(Succeeds(other->Reinitialize()));
  std::uint8_t mac[32];
  EXPECT_TRUE(Succeeds(session_.Sign(MechanismType::kSha256Hmac, key, AsBytes("x"), mac)));
}

TEST_F(ModuleTest, ChangesHandsBetweenThreadsWithoutLocking) {
  const auto single = token_.Load(Threading::kSingle);
  Session session = token_.OpenUserSession(*single);
  bool made = false;
  std::thread([&] {
    made = session.GenerateKey(MechanismType::kAesKeyGen, DataKey()).has_value();
  }).join();
  EXPECT_TRUE(made);
  EXPECT_EQ(session.Find({})->size(), 1U);
}

TEST_F(ModuleTest, TakesASecondLoginForSuccess) {
  EXPECT_TRUE(Succeeds(module_->Login(session_, UserType::kUser, token_.UserPin())));
}

TEST_F(ModuleTest, RefusesToLogInThroughAnotherModulesSession) {
  const auto other = token_.Load();
  EXPECT_TRUE(FailsWith(other->Login(session_, UserType::kUser, token_.UserPin()), Code::kInvalid));
}

}  // namespace
}  // namespace coffer::pkcs11
