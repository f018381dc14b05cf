#include "coffer/pkcs11/session.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

using SessionTest = TokenTest;

TEST_F(SessionTest, ClosingOneSessionDoesNotLogOut) {
  { const Session other = token_.OpenUserSession(*module_); }
  EXPECT_TRUE(Succeeds(session_.GenerateKey(MechanismType::kAesKeyGen, DataKey())));
}

TEST_F(SessionTest, ClosesInItsDestructor) {
  {
    Session other = token_.OpenUserSession(*module_);
    ASSERT_TRUE(Succeeds(other.GenerateKey(MechanismType::kAesKeyGen, DataKey())));
    EXPECT_EQ(session_.Find({})->size(), 1U);
  }
  EXPECT_EQ(session_.Find({})->size(), 0U);  // its session objects went with it
}

TEST_F(SessionTest, MovingHandsTheOpenSessionOn) {
  std::optional<Session> first(token_.OpenUserSession(*module_));
  Session second = std::move(*first);
  first.reset();
  EXPECT_TRUE(Succeeds(second.GenerateKey(MechanismType::kAesKeyGen, DataKey())));
  Session third = token_.OpenUserSession(*module_);
  third = std::move(second);
  EXPECT_FALSE(third.Broken());
  EXPECT_EQ(third.Find({})->size(), 1U);
}

TEST_F(SessionTest, AMovedFromSessionFailsInsteadOfCrashing) {
  Session gone = token_.OpenUserSession(*module_);
  const Session taker = std::move(gone);
  EXPECT_TRUE(gone.Broken());  // NOLINT(bugprone-use-after-move): this is the promise tested
  EXPECT_TRUE(FailsWith(gone.Find({}), Code::kTokenLost));
}

TEST_F(SessionTest, FindsMoreObjectsThanOneBatchHolds) {
  Attributes attributes = MacKey();
  attributes.Add(AttributeType::kLabel, "many");
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(Succeeds(session_.GenerateKey(MechanismType::kGenericSecretKeyGen, attributes)));
  }
  NewDataKey();
  Attributes wanted;
  wanted.Add(AttributeType::kLabel, "many");
  const auto found = session_.Find(wanted);
  ASSERT_TRUE(Succeeds(found));
  EXPECT_EQ(found->size(), 300U);
}

TEST_F(SessionTest, ReadsAttributesBack) {
  Attributes attributes = DataKey();
  attributes.Add(AttributeType::kLabel, "named");
  const ObjectHandle key = Generate(MechanismType::kAesKeyGen, attributes);
  EXPECT_EQ(AsText(*session_.GetBytes(key, AttributeType::kLabel)), "named");
  EXPECT_EQ(*session_.GetBool(key, AttributeType::kEncrypt), true);
  EXPECT_EQ(*session_.GetBool(key, AttributeType::kExtractable), false);
  EXPECT_EQ(*session_.GetUlong(key, AttributeType::kValueLen), 32U);
  EXPECT_TRUE(session_.GetBytes(key, AttributeType::kId)->empty());
}

TEST_F(SessionTest, RefusesToReadASensitiveValue) {
  EXPECT_TRUE(
      FailsWith(session_.GetBytes(NewDataKey(), AttributeType::kValue), Code::kTokenRefused));
}

TEST_F(SessionTest, RefusesANumberOfTheWrongSize) {
  const ObjectHandle key = NewDataKey();
  EXPECT_TRUE(FailsWith(session_.GetBool(key, AttributeType::kValueLen), Code::kTokenFailed));
}

TEST_F(SessionTest, ReadsAllowedMechanismsBack) {
  const auto mechanisms = session_.GetMechanisms(NewMaster(), AttributeType::kAllowedMechanisms);
  ASSERT_TRUE(Succeeds(mechanisms));
  EXPECT_EQ(*mechanisms, std::vector{MechanismType::kAesKeyWrapPad});
}

TEST_F(SessionTest, ReadsANestedTemplateBackWithEveryValue) {
  const auto nested = session_.GetTemplate(NewMaster(), AttributeType::kUnwrapTemplate);
  ASSERT_TRUE(Succeeds(nested));
  const Attributes pinned = PinnedKey();
  ASSERT_EQ(nested->size(), pinned.size());
  for (std::size_t i = 0; i < nested->size(); ++i) {
    bool found = false;
    for (std::size_t j = 0; j < pinned.size(); ++j) {
      if (pinned.TypeAt(j) != nested->TypeAt(i)) continue;
      found = true;
      EXPECT_EQ(ToHex(nested->ValueAt(i)), ToHex(pinned.ValueAt(j)));
    }
    EXPECT_TRUE(found) << static_cast<unsigned long>(nested->TypeAt(i));
  }
}

TEST_F(SessionTest, ReadsAMissingTemplateAsEmpty) {
  const auto nested = session_.GetTemplate(NewMaster(), AttributeType::kWrapTemplate);
  ASSERT_TRUE(Succeeds(nested));
  EXPECT_EQ(nested->size(), 0U);
}

TEST_F(SessionTest, KeepsATokenObjectAcrossReinitialize) {
  Attributes attributes = MasterKey();
  Attributes stored;
  stored.Add(AttributeType::kToken, true).Add(AttributeType::kLabel, "master");
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes.TypeAt(i) == AttributeType::kToken) continue;
    if (const Attributes* nested = attributes.NestedAt(i)) {
      stored.AddTemplate(attributes.TypeAt(i), *nested);
    } else {
      stored.Add(attributes.TypeAt(i), attributes.ValueAt(i));
    }
  }
  Generate(MechanismType::kAesKeyGen, stored);
  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  Session fresh = token_.OpenUserSession(*module_);
  Attributes wanted;
  wanted.Add(AttributeType::kLabel, "master");
  const auto found = fresh.Find(wanted);
  ASSERT_TRUE(Succeeds(found));
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(fresh.GetTemplate(found->front(), AttributeType::kUnwrapTemplate)->size(),
            PinnedKey().size());
}

TEST_F(SessionTest, SetsAndDestroysWhatTheTokenAllows) {
  const ObjectHandle key = NewDataKey();
  Attributes label;
  label.Add(AttributeType::kLabel, "renamed");
  EXPECT_TRUE(Succeeds(session_.SetAttributes(key, label)));
  EXPECT_EQ(AsText(*session_.GetBytes(key, AttributeType::kLabel)), "renamed");
  EXPECT_TRUE(FailsWith(session_.SetAttributes(NewMaster(), label), Code::kTokenRefused));
  EXPECT_TRUE(Succeeds(session_.DestroyObject(key)));
  EXPECT_TRUE(FailsWith(session_.GetBytes(key, AttributeType::kLabel), Code::kTokenLost));
}

TEST_F(SessionTest, CopiesAnObjectUnlessItForbids) {
  Attributes label;
  label.Add(AttributeType::kLabel, "copy");
  const auto copy = session_.CopyObject(NewDataKey(), label);
  ASSERT_TRUE(Succeeds(copy));
  EXPECT_EQ(AsText(*session_.GetBytes(*copy, AttributeType::kLabel)), "copy");
  EXPECT_TRUE(FailsWith(session_.CopyObject(NewMaster(), label), Code::kTokenRefused));
}

}  // namespace
}  // namespace coffer::pkcs11
