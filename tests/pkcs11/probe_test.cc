#include "coffer/pkcs11/probe.h"

#include <gtest/gtest.h>

#include "fakes/faulty_pkcs11_module.h"
#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

using ProbeTest = TokenTest;

TEST_F(ProbeTest, FindsOutWhatSoftHsmDoes) {
  const auto profile = ProbeToken(session_);
  ASSERT_TRUE(Succeeds(profile));
  EXPECT_EQ(profile->key_wrap_with_padding, MechanismType::kAesKeyWrapPad);
  EXPECT_EQ(profile->unwrap_template, UnwrapTemplateUse::kEnforced);
  EXPECT_TRUE(profile->modifiable_must_be_last);
  EXPECT_FALSE(profile->unwrap_takes_value_len);
  EXPECT_TRUE(profile->gcm_caller_iv);
  EXPECT_TRUE(profile->hmac_sha256);
}

TEST_F(ProbeTest, LeavesNoObjectAndAUsableSession) {
  const ObjectHandle key = NewDataKey();
  ASSERT_TRUE(Succeeds(ProbeToken(session_)));
  EXPECT_EQ(*session_.Find({}), std::vector{key});
  EXPECT_FALSE(session_.Broken());
}

TEST_F(ProbeTest, FailsWithoutALogin) {
  const auto other = token_.Load();
  auto session = other->OpenSession(*other->FindToken(token_.Label()));
  ASSERT_TRUE(Succeeds(session));
  EXPECT_TRUE(FailsWith(ProbeToken(*session), Code::kTokenLost));
}

TEST_F(ProbeTest, FailsWhereTheTokenIsGone) {
  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  EXPECT_TRUE(FailsWith(ProbeToken(session_), Code::kTokenLost));
}

TEST(ProbeToken, SeesThroughATokenThatTakesUnwrapTemplatesAndIgnoresThem) {
  const fakes::SoftHsmToken token;
  const auto module = Module::Load(COFFER_FAULTY_MODULE, Threading::kOsLocking);
  ASSERT_TRUE(Succeeds(module));
  fakes::FaultyPkcs11Module faulty(COFFER_FAULTY_MODULE);
  faulty.Set(fakes::Pkcs11Fault::kNoUnwrapTemplates);
  Session session = token.OpenUserSession(**module);
  const auto profile = ProbeToken(session);
  ASSERT_TRUE(Succeeds(profile));
  EXPECT_EQ(profile->unwrap_template, UnwrapTemplateUse::kIgnored);
  EXPECT_EQ(profile->key_wrap_with_padding, MechanismType::kAesKeyWrapPad);
}

}  // namespace
}  // namespace coffer::pkcs11
