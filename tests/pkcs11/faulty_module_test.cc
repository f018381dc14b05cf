#include "fakes/faulty_pkcs11_module.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>

#include "coffer/pkcs11/session_pool.h"
#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

using fakes::Pkcs11Fault;
using std::chrono::milliseconds;

class FaultyModuleTest : public ::testing::Test {
 protected:
  Session NewSession() { return token_.OpenUserSession(*module_); }
  ObjectHandle NewKey(MechanismType mechanism, const Attributes& attributes) {
    const auto key = keeper_.GenerateKey(mechanism, attributes);
    EXPECT_TRUE(Succeeds(key));
    return key.value_or(kNoObject);
  }

  fakes::SoftHsmToken token_;
  std::unique_ptr<Module> module_ =
      Module::Load(COFFER_FAULTY_MODULE, Threading::kOsLocking).value();
  fakes::FaultyPkcs11Module faulty_{COFFER_FAULTY_MODULE};
  Session keeper_ = NewSession();
  const std::array<std::uint8_t, 12> iv_{};
};

TEST_F(FaultyModuleTest, AWrongPinIsTriedExactlyOnce) {
  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  auto session = module_->OpenSession(*module_->FindToken(token_.Label()));
  ASSERT_TRUE(Succeeds(session));
  const int before = faulty_.Logins();
  EXPECT_TRUE(
      FailsWith(module_->Login(*session, UserType::kUser, token_.SoPin()), Code::kPinIncorrect));
  EXPECT_EQ(faulty_.Logins(), before + 1);
  EXPECT_TRUE(Succeeds(module_->Login(*session, UserType::kUser, token_.UserPin())));
}

TEST_F(FaultyModuleTest, LengthsBeyondTheBufferAreRefusedAndBreakTheSession) {
  const ObjectHandle key = NewKey(MechanismType::kAesKeyGen, DataKey());
  const ObjectHandle mac_key = NewKey(MechanismType::kGenericSecretKeyGen, MacKey());
  const ObjectHandle master = NewKey(MechanismType::kAesKeyGen, MasterKey());
  const ObjectHandle wrapped = NewKey(MechanismType::kAesKeyGen, ExtractableKey());
  Bytes out(48);
  Bytes sealed(48);
  ASSERT_TRUE(Succeeds(keeper_.EncryptGcm(key, {iv_, {}}, Bytes(32), sealed)));
  const Bytes iv(16);
  const auto calls = std::to_array<std::function<bool(Session&)>>({
      [&](Session& s) {
        return FailsWith(s.EncryptGcm(key, {iv_, {}}, Bytes(32), out), Code::kTokenFailed);
      },
      [&](Session& s) {
        return FailsWith(s.DecryptGcm(key, {iv_, {}}, sealed, out), Code::kTokenFailed);
      },
      [&](Session& s) {
        return FailsWith(s.Encrypt({MechanismType::kAesCbcPad, iv}, key, Bytes(32)),
                         Code::kTokenFailed);
      },
      [&](Session& s) {
        return FailsWith(s.Sign(MechanismType::kSha256Hmac, mac_key, sealed, out),
                         Code::kTokenFailed);
      },
      [&](Session& s) {
        return FailsWith(s.DigestKey(MechanismType::kSha256, key), Code::kTokenFailed);
      },
      [&](Session& s) {
        return FailsWith(s.WrapKey(MechanismType::kAesKeyWrapPad, master, wrapped),
                         Code::kTokenFailed);
      },
      [&](Session& s) { return FailsWith(s.Find({}), Code::kTokenFailed); },
      [&](Session& s) {
        return FailsWith(s.GetBytes(key, AttributeType::kClass), Code::kTokenFailed);
      },
      [&](Session& s) {
        return FailsWith(s.GetTemplate(master, AttributeType::kUnwrapTemplate), Code::kTokenFailed);
      },
  });
  for (std::size_t i = 0; i < calls.size(); ++i) {
    faulty_.Set(Pkcs11Fault::kNone);
    Session session = NewSession();
    faulty_.Set(Pkcs11Fault::kLongLengths);
    EXPECT_TRUE(calls[i](session)) << i;
    EXPECT_TRUE(session.Broken()) << i;
  }
  EXPECT_TRUE(FailsWith(module_->Slots(), Code::kTokenFailed));
}

TEST_F(FaultyModuleTest, ShortGcmResultsAreRefused) {
  const ObjectHandle key = NewKey(MechanismType::kAesKeyGen, DataKey());
  Bytes sealed(48);
  Bytes out(48);
  ASSERT_TRUE(Succeeds(keeper_.EncryptGcm(key, {iv_, {}}, Bytes(32, 1), sealed)));
  faulty_.Set(Pkcs11Fault::kShortLengths);
  EXPECT_TRUE(FailsWith(keeper_.EncryptGcm(key, {iv_, {}}, Bytes(32), out), Code::kTokenFailed));
  EXPECT_TRUE(FailsWith(keeper_.DecryptGcm(key, {iv_, {}}, sealed, out), Code::kTokenFailed));
  EXPECT_EQ(out, Bytes(48));
}

TEST_F(FaultyModuleTest, AHugeAttributeIsRefusedBeforeMemoryIsTaken) {
  const ObjectHandle master = NewKey(MechanismType::kAesKeyGen, MasterKey());
  faulty_.Set(Pkcs11Fault::kHugeAttributes);
  EXPECT_TRUE(FailsWith(keeper_.GetBytes(master, AttributeType::kLabel), Code::kTokenFailed));
  EXPECT_TRUE(
      FailsWith(keeper_.GetTemplate(master, AttributeType::kUnwrapTemplate), Code::kTokenFailed));
}

TEST_F(FaultyModuleTest, ANestedValueThatGrowsBetweenTheCallsIsRefused) {
  const ObjectHandle master = NewKey(MechanismType::kAesKeyGen, MasterKey());
  faulty_.Set(Pkcs11Fault::kGrowingTemplates);
  EXPECT_TRUE(
      FailsWith(keeper_.GetTemplate(master, AttributeType::kUnwrapTemplate), Code::kTokenFailed));
}

TEST_F(FaultyModuleTest, AnOperationLeftActiveBreaksTheSessionAndThePoolDropsIt) {
  const ObjectHandle key = NewKey(MechanismType::kAesKeyGen, DataKey());
  SessionPool pool(*module_, *module_->FindToken(token_.Label()), 1);
  Bytes sealed(48);
  Bytes out(48, 0xee);
  ASSERT_TRUE(Succeeds(keeper_.EncryptGcm(key, {iv_, {}}, Bytes(32), sealed)));
  {
    const auto loan = pool.Borrow(milliseconds(0));
    faulty_.Set(Pkcs11Fault::kDecryptStaysActive);
    EXPECT_TRUE(FailsWith((*loan)->DecryptGcm(key, {iv_, {}}, sealed, out), Code::kTokenFailed));
    EXPECT_EQ(out, Bytes(48));  // what the token left there did not verify
    EXPECT_TRUE((*loan)->Broken());
  }
  faulty_.Set(Pkcs11Fault::kNone);
  const auto loan = pool.Borrow(milliseconds(0));
  ASSERT_TRUE(Succeeds(loan));
  EXPECT_TRUE(Succeeds((*loan)->DecryptGcm(key, {iv_, {}}, sealed, out)));
}

}  // namespace
}  // namespace coffer::pkcs11
