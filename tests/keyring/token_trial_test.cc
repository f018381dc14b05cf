// One trial decides whether a token is fit: coffer hsm init, a start, the rotation of a master and
// the doctor give the same answer about every token, since they ask the same question.

#include "keyring/token_trial.h"

#include <gtest/gtest.h>

#include "coffer/crypto/system_random.h"
#include "coffer/keyring/token_admin.h"
#include "coffer/keyring/token_doctor.h"
#include "coffer/keyring/token_setup.h"
#include "fakes/faulty_pkcs11_module.h"
#include "fakes/softhsm_token.h"

namespace coffer::keyring {
namespace {

using fakes::Pkcs11Fault;

class TokenTrialTest : public ::testing::Test {
 protected:
  TokenTrialTest() {
    location_.module = COFFER_FAULTY_MODULE;
    location_.label = token_.Label();
    location_.objects_directory = token_.TokenDirectory();
    // Only a module that is loaded can be told to misbehave.
    EXPECT_TRUE(pkcs11::Module::Load(location_.module, pkcs11::Threading::kOsLocking));
    crypto::SystemRandom random;
    database_ = Id::Generate(random);
  }
  Status Init() { return CompleteToken(location_, token_.UserPin(), database_, logger_); }
  Status Start() {
    COFFER_TRY(OpenTokens(location_, token_.UserPin(), 0, logger_));
    return {};
  }
  Status Rotate() {
    COFFER_ASSIGN(const auto admin, TokenAdmin::Open(location_, token_.UserPin()));
    COFFER_TRY(admin->RotateMaster("aes"));
    return {};
  }
  std::vector<std::string> MissingByDoctor() {
    const auto diagnosis = ExamineToken(location_, token_.UserPin(),
                                        {.window = {}, .token_objects = false, .progress = {}});
    EXPECT_TRUE(diagnosis) << diagnosis.error().message;
    return diagnosis ? diagnosis->missing : std::vector<std::string>{"no diagnosis"};
  }
  std::size_t Objects() {
    const auto admin = TokenAdmin::Open(location_, token_.UserPin());
    EXPECT_TRUE(admin);
    return (*admin)->List().value().size();
  }

  fakes::SoftHsmToken token_;
  TokenLocation location_;
  NullLogger logger_;
  Id database_;
};

TEST_F(TokenTrialTest, AFitTokenIsTakenByAll) {
  ASSERT_TRUE(Init());
  EXPECT_TRUE(Start());
  EXPECT_TRUE(Rotate());
  EXPECT_EQ(MissingByDoctor(), std::vector<std::string>{});
}

TEST_F(TokenTrialTest, WhatTheDoctorMissesNoneOfThemTakes) {
  fakes::FaultyPkcs11Module faulty(COFFER_FAULTY_MODULE);
  for (const Pkcs11Fault fault : {Pkcs11Fault::kNoUnwrapTemplates, Pkcs11Fault::kCopyableKeys}) {
    faulty.Set(Pkcs11Fault::kNone);
    ASSERT_TRUE(Init());
    const std::size_t before = Objects();
    faulty.Set(fault);
    const std::vector<std::string> missing = MissingByDoctor();
    ASSERT_FALSE(missing.empty());
    for (const Status& refused : {Init(), Start(), Rotate()}) {
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, Code::kTokenRefused);
      for (const std::string& each : missing) {
        EXPECT_NE(refused.error().message.find(each), std::string::npos)
            << refused.error().message << " does not say " << each;
      }
    }
    EXPECT_EQ(Objects(), before) << "nothing was made, nothing stayed";
  }
}

TEST_F(TokenTrialTest, AnUnfitTokenGetsNoKeysFromInit) {
  fakes::FaultyPkcs11Module faulty(COFFER_FAULTY_MODULE);
  faulty.Set(Pkcs11Fault::kCopyableKeys);
  const Status refused = Init();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("CKA_COPYABLE"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(Objects(), 0U);
  faulty.Set(Pkcs11Fault::kNone);
  EXPECT_TRUE(Init());
}

}  // namespace
}  // namespace coffer::keyring
