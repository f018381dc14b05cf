// Tests that SoftHSM behaves as pkcs11/README.md says of version 2.6.1, so that a version that
// differs is noticed.
#include <gtest/gtest.h>

#include <array>

#include "coffer/pkcs11/session.h"
#include "pkcs11/token_fixture.h"

// SoftHSM leaks the object that AnIncompleteCreateObjectLeavesATokenObject makes it abandon. Only
// frames in a copy of SoftHSM are excused, never ours.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT: the sanitizer's name
  return "leak:coffer-softhsm-*/module-*.so\n";
}

namespace coffer::pkcs11 {
namespace {

class SoftHsmBehaviourTest : public TokenTest {
 protected:
  std::size_t CountObjects() { return session_.Find({}).value().size(); }

  const ObjectHandle master_ = NewMaster();
  const Bytes blob_ = session_
                          .WrapKey(MechanismType::kAesKeyWrapPad, master_,
                                   Generate(MechanismType::kAesKeyGen, ExtractableKey()))
                          .value();
};

TEST_F(SoftHsmBehaviourTest, ModifiableMattersByItsPlaceInUnwrapButNotInGenerate) {
  Attributes last = PinnedKey();  // which ends with it
  Attributes before_usage = PinnedKey();
  before_usage.Add(AttributeType::kEncrypt, true);
  const auto unwrap = [&](const Attributes& attributes) {
    return session_.UnwrapKey(MechanismType::kAesKeyWrapPad, master_, blob_, attributes);
  };
  EXPECT_TRUE(Succeeds(unwrap(last)));
  EXPECT_TRUE(FailsWith(unwrap(before_usage), Code::kTokenRefused));

  Attributes generated;
  generated.Add(AttributeType::kModifiable, false).Append(DataKey());
  EXPECT_TRUE(Succeeds(session_.GenerateKey(MechanismType::kAesKeyGen, generated)));
}

TEST_F(SoftHsmBehaviourTest, AnUnwrapThatFailsOnAnAttributeLeavesAnObjectWithoutValue) {
  const std::size_t before = CountObjects();
  Attributes attributes = PinnedKey();
  attributes.Add(AttributeType::kLabel, "orphan");
  ASSERT_FALSE(session_.UnwrapKey(MechanismType::kAesKeyWrapPad, master_, blob_, attributes));
  EXPECT_EQ(CountObjects(), before + 1);
}

TEST_F(SoftHsmBehaviourTest, AnUnwrapRefusedByTheMastersTemplateLeavesNothing) {
  const std::size_t before = CountObjects();
  ASSERT_FALSE(session_.UnwrapKey(MechanismType::kAesKeyWrapPad, master_, blob_, ExtractableKey()));
  EXPECT_EQ(CountObjects(), before);
}

TEST_F(SoftHsmBehaviourTest, AnUnwrapOfACorruptBlobLeavesNothing) {
  const std::size_t before = CountObjects();
  Bytes corrupt = blob_;
  corrupt[5] ^= 1;
  ASSERT_TRUE(
      FailsWith(session_.UnwrapKey(MechanismType::kAesKeyWrapPad, master_, corrupt, PinnedKey()),
                Code::kTokenFailed));
  EXPECT_EQ(CountObjects(), before);
}

TEST_F(SoftHsmBehaviourTest, AnIncompleteCreateObjectLeavesATokenObject) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, KeyType::kAes)
      .Add(AttributeType::kToken, true);
  ASSERT_TRUE(FailsWith(session_.CreateObject(attributes), Code::kTokenRefused));
  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  session_ = token_.OpenUserSession(*module_);
  EXPECT_EQ(CountObjects(), 1U);  // it survived; the session objects did not
}

TEST_F(SoftHsmBehaviourTest, ABadGcmTagIsAGeneralError) {
  const ObjectHandle key = NewDataKey();
  const std::array<std::uint8_t, 12> iv{};
  Bytes out(32);
  EXPECT_TRUE(FailsWith(session_.DecryptGcm(key, {iv, {}}, Bytes(32), out), Code::kTokenFailed));
}

TEST_F(SoftHsmBehaviourTest, HmacKeysShorterThanTheHashAreRefused) {
  Attributes attributes = SecretKey(KeyType::kGenericSecret);
  attributes.Add(AttributeType::kSign, true).Add(AttributeType::kValueLen, 31UL);
  const ObjectHandle key = Generate(MechanismType::kGenericSecretKeyGen, attributes);
  Bytes mac(32);
  EXPECT_TRUE(FailsWith(session_.Sign(MechanismType::kSha256Hmac, key, AsBytes("m"), mac),
                        Code::kTokenRefused));
}

TEST_F(SoftHsmBehaviourTest, ASensitiveKeyCanStillBeHashed) {
  EXPECT_TRUE(Succeeds(session_.DigestKey(MechanismType::kSha256, NewDataKey())));
}

}  // namespace
}  // namespace coffer::pkcs11
