#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "coffer/pkcs11/module.h"
#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

class TokenLossTest : public TokenTest {
 protected:
  void MakeTokenKey() {
    Attributes attributes;
    attributes.Add(AttributeType::kToken, true)
        .Add(AttributeType::kPrivate, true)
        .Add(AttributeType::kSensitive, true)
        .Add(AttributeType::kSign, true)
        .Add(AttributeType::kLabel, "meta")
        .Add(AttributeType::kValueLen, 32UL);
    Generate(MechanismType::kGenericSecretKeyGen, attributes);
  }
  std::size_t CountTokenKeys() {
    Attributes wanted;
    wanted.Add(AttributeType::kLabel, "meta");
    const auto found = session_.Find(wanted);
    return found ? found->size() : 0;
  }
};

TEST_F(TokenLossTest, TheTokensAnswersTellThatItsDirectoryIsGone) {
  const SlotId slot = *module_->FindToken(token_.Label());
  token_.MoveAway();
  EXPECT_TRUE(FailsWith(module_->GetTokenInfo(slot), Code::kTokenFailed));
  EXPECT_FALSE(module_->FindToken(token_.Label()));
  token_.MoveBack();
}

TEST_F(TokenLossTest, ReinitializeHealsWhatTheDirectorysReturnAloneDoesNot) {
  MakeTokenKey();
  ASSERT_EQ(CountTokenKeys(), 1U);
  token_.MoveAway();
  EXPECT_EQ(CountTokenKeys(), 0U);  // silently: the find itself succeeds
  token_.MoveBack();
  EXPECT_EQ(CountTokenKeys(), 0U);

  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  session_ = token_.OpenUserSession(*module_);
  EXPECT_EQ(CountTokenKeys(), 1U);
}

TEST_F(TokenLossTest, ReinitializeMayBeTriedAgainAfterItFailed) {
  MakeTokenKey();
  token_.MoveAway();
  ASSERT_FALSE(module_->Reinitialize() && module_->FindToken(token_.Label()));
  token_.MoveBack();
  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  session_ = token_.OpenUserSession(*module_);
  EXPECT_EQ(CountTokenKeys(), 1U);
}

TEST_F(TokenLossTest, ReinitializeKillsSessionsAndHandles) {
  const ObjectHandle key = NewMacKey();
  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  EXPECT_TRUE(session_.Broken());
  std::array<std::uint8_t, 32> mac{};
  EXPECT_TRUE(FailsWith(session_.Sign(MechanismType::kSha256Hmac, key, AsBytes("m"), mac),
                        Code::kTokenLost));
  Session fresh = token_.OpenUserSession(*module_);
  EXPECT_TRUE(
      FailsWith(fresh.Sign(MechanismType::kSha256Hmac, key, AsBytes("m"), mac), Code::kTokenLost));
}

// SoftHSM counts its handles from 1 again after C_Finalize.
TEST_F(TokenLossTest, AnOldSessionDoesNotCloseANewOneWithItsNumber) {
  std::optional<Session> old(token_.OpenUserSession(*module_));
  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  session_ = token_.OpenUserSession(*module_);
  Session second = token_.OpenUserSession(*module_);
  old.reset();
  EXPECT_TRUE(Succeeds(second.GenerateKey(MechanismType::kAesKeyGen, DataKey())));
  EXPECT_TRUE(Succeeds(session_.GenerateKey(MechanismType::kAesKeyGen, DataKey())));
}

TEST_F(TokenLossTest, ASessionOutlivesItsModuleWithoutHarm) {
  module_.reset();
  EXPECT_TRUE(session_.Broken());
  EXPECT_TRUE(FailsWith(session_.Find({}), Code::kTokenLost));
}

}  // namespace
}  // namespace coffer::pkcs11
