// coffer-kdf-aesecb-1 in the token against vectors that were computed outside, from the
// definition in docs/formats.md, with a base key of 00 01 02 ... 1f.

#include "keyring/key_derivation.h"

#include <gtest/gtest.h>

#include <optional>

#include "fakes/softhsm_token.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::Mechanism;
using pkcs11::MechanismType;

class KeyDerivationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    module_ = token_.Load();
    session_ = token_.OpenUserSession(*module_);
    Bytes value(32);
    for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<std::uint8_t>(i);
    Attributes known;
    known.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
        .Add(AttributeType::kKeyType, pkcs11::KeyType::kAes)
        .Add(AttributeType::kToken, false)
        .Add(AttributeType::kDerive, true)
        .Add(AttributeType::kEncrypt, true)
        .AddMechanisms(AttributeType::kAllowedMechanisms, {MechanismType::kAesEcbEncryptData})
        .Add(AttributeType::kValue, ByteView(value));
    const auto base = session_->CreateObject(known);
    ASSERT_TRUE(base) << base.error().cause;
    base_ = *base;
  }
  void TearDown() override {
    session_.reset();
    module_.reset();
  }
  std::string Sealed(const KeySpec& spec, std::string_view context) {
    const auto key =
        DeriveAesEcb1(objects_, *session_, spec, base_, DerivedUse::kCipher, AsBytes(context));
    if (!key) return key.error().cause;
    const Bytes iv(12);
    Bytes out(7 + 16);
    const auto sealed = session_->EncryptGcm(*key, {iv, AsBytes("aad")}, AsBytes("message"), out);
    return sealed ? ToHex(out) : sealed.error().cause;
  }

  fakes::SoftHsmToken token_;
  ObjectMaker objects_;
  std::unique_ptr<pkcs11::Module> module_;
  std::optional<pkcs11::Session> session_;
  pkcs11::ObjectHandle base_ = 0;
};

TEST(KeyDerivationBlocksTest, AreTheHashOfLabelPurposeAndContext) {
  const AesEcb1Blocks cipher = BlocksOf(DerivedUse::kCipher, AsBytes("coffer"));
  EXPECT_EQ(ToHex(cipher.first),
            "00a5e8b201e54021eed8ed35c1068cbf01a5e8b201e54021eed8ed35c1068cbf");
  EXPECT_EQ(ToHex(cipher.second),
            "02119a310d3688ee5fd03c44356d045c03119a310d3688ee5fd03c44356d045c");
  const AesEcb1Blocks nonce = BlocksOf(DerivedUse::kNonce, {});
  EXPECT_EQ(ToHex(nonce.first), "0061c56d336ec1c2045dde8b753198490161c56d336ec1c2045dde8b75319849");
  EXPECT_EQ(ToHex(nonce.second),
            "025c714991d94cb07e8dc3f32809d6b3035c714991d94cb07e8dc3f32809d6b3");
}

TEST_F(KeyDerivationTest, TheTokenDerivesTheVectorsCipherKeys) {
  KeySpec spec{KeyType::kAes256Gcm96, true};
  EXPECT_EQ(Sealed(spec, "coffer"), "4b6d4ffe2458b9362c7a1a6f6db5c70723dd4ad7ecfe09");
  spec.type = KeyType::kAes128Gcm96;
  EXPECT_EQ(Sealed(spec, "coffer"), "555c69d9deb22fd4e07d894d2095867a104543608ce92c");
  EXPECT_NE(Sealed(spec, "coffeR"), Sealed(spec, "coffer"));
}

TEST_F(KeyDerivationTest, TheTokenDerivesTheVectorsNonceKey) {
  const auto key = DeriveAesEcb1(objects_, *session_, {KeyType::kAes256Gcm96, true}, base_,
                                 DerivedUse::kNonce, AsBytes("coffer"));
  ASSERT_TRUE(key) << key.error().cause;
  Bytes input{0, 0, 0, 0, 0, 0, 0, 3};
  for (const char c : std::string_view("aadmessage")) {
    input.push_back(static_cast<std::uint8_t>(c));
  }
  Bytes mac(32);
  ASSERT_TRUE(session_->Sign(MechanismType::kSha256Hmac, *key, input, mac));
  EXPECT_EQ(ToHex(mac), "75efb7af01b4dfdcbba6efc1ce70f86d7b08405dcdc16df063f99c52295fcd33");
}

TEST_F(KeyDerivationTest, DerivedKeysHaveTheirOneUseAndCannotBeRead) {
  const auto cipher = DeriveAesEcb1(objects_, *session_, {KeyType::kAes256Gcm96, true}, base_,
                                    DerivedUse::kCipher, AsBytes("c"));
  ASSERT_TRUE(cipher);
  EXPECT_FALSE(session_->GetBytes(*cipher, AttributeType::kValue));
  EXPECT_FALSE(session_->Encrypt(MechanismType::kAesEcb, *cipher, Bytes(16)));
  EXPECT_FALSE(session_->DeriveKey(Mechanism(MechanismType::kAesEcbEncryptData, Bytes(32)), *cipher,
                                   Attributes()));
  Attributes extractable;
  extractable.Add(AttributeType::kExtractable, true);
  EXPECT_FALSE(session_->SetAttributes(*cipher, extractable));
}

}  // namespace
}  // namespace coffer::keyring
