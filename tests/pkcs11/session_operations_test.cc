#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "coffer/pkcs11/session.h"
#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

constexpr std::size_t kTag = 16;

class SessionOperationsTest : public TokenTest {
 protected:
  Bytes Seal(ObjectHandle key, ByteView aad, ByteView plaintext) {
    Bytes sealed(plaintext.size() + kTag);
    const auto size = session_.EncryptGcm(key, {iv_, aad}, plaintext, sealed);
    EXPECT_TRUE(Succeeds(size));
    EXPECT_EQ(size.value_or(0), sealed.size());
    return sealed;
  }
  Result<Bytes> Open(ObjectHandle key, ByteView aad, ByteView sealed) {
    Bytes opened(sealed.size());
    const auto size = session_.DecryptGcm(key, {iv_, aad}, sealed, opened);
    if (!size) return Fail(size.error());
    opened.resize(*size);
    return opened;
  }
  // A key with a value of ours, which only a test may have.
  ObjectHandle Known(KeyType type, ByteView value, AttributeType usage) {
    Attributes attributes = SecretKey(type);
    attributes.Add(AttributeType::kSensitive, false)
        .Add(AttributeType::kExtractable, true)
        .Add(usage, true)
        .Add(AttributeType::kValue, value);
    const auto key = session_.CreateObject(attributes);
    EXPECT_TRUE(Succeeds(key));
    return key.value_or(kNoObject);
  }

  std::array<std::uint8_t, 12> iv_{};
};

TEST_F(SessionOperationsTest, GcmRoundTripsEveryLengthAroundABlock) {
  const ObjectHandle key = NewDataKey();
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1024U, 100'000U}) {
    const Bytes plaintext(size, 0x5a);
    for (const ByteView aad : {ByteView{}, AsBytes("context")}) {
      const auto opened = Open(key, aad, Seal(key, aad, plaintext));
      ASSERT_TRUE(Succeeds(opened)) << size;
      EXPECT_EQ(*opened, plaintext);
    }
  }
}

TEST_F(SessionOperationsTest, GcmAgreesWithTheSpecificationsTestCase14) {
  const ObjectHandle key = Known(KeyType::kAes, Bytes(32), AttributeType::kEncrypt);
  EXPECT_EQ(ToHex(Seal(key, {}, Bytes(16))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST_F(SessionOperationsTest, GcmRefusesEveryChangedBit) {
  const ObjectHandle key = NewDataKey();
  const Bytes sealed = Seal(key, AsBytes("aad"), AsBytes("twenty octets of it."));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 0x80;
    EXPECT_FALSE(Open(key, AsBytes("aad"), changed)) << i;
  }
  EXPECT_TRUE(Succeeds(Open(key, AsBytes("aad"), sealed)));
  EXPECT_FALSE(session_.Broken());  // SoftHSM ends the failed operation, and we asked
}

TEST_F(SessionOperationsTest, GcmRefusesTruncatedExtendedAndEmptyInput) {
  const ObjectHandle key = NewDataKey();
  const Bytes sealed = Seal(key, {}, AsBytes("text"));
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(Open(key, {}, ByteView(sealed).first(size))) << size;
  }
  EXPECT_TRUE(
      FailsWith(Open(key, {}, ByteView(sealed).first(kTag - 1)), Code::kAuthenticationFailed));
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(Open(key, {}, longer));
}

TEST_F(SessionOperationsTest, GcmRefusesWrongAadIvAndKey) {
  const ObjectHandle key = NewDataKey();
  const Bytes sealed = Seal(key, AsBytes("aad"), AsBytes("text"));
  EXPECT_FALSE(Open(key, AsBytes("aae"), sealed));
  EXPECT_FALSE(Open(key, {}, sealed));
  EXPECT_FALSE(Open(NewDataKey(), AsBytes("aad"), sealed));
  iv_[0] ^= 1;
  EXPECT_FALSE(Open(key, AsBytes("aad"), sealed));
}

TEST_F(SessionOperationsTest, GcmLeavesNothingInTheBufferOfAFailedDecryption) {
  const ObjectHandle key = NewDataKey();
  Bytes sealed = Seal(key, {}, Bytes(64, 0x77));
  sealed.back() ^= 1;
  Bytes out(sealed.size(), 0xee);
  ASSERT_FALSE(session_.DecryptGcm(key, {iv_, {}}, sealed, out));
  EXPECT_EQ(out, Bytes(sealed.size(), 0));
}

TEST_F(SessionOperationsTest, GcmRefusesWrongIvLengthsAndSmallBuffersBeforeTheToken) {
  const ObjectHandle key = NewDataKey();
  Bytes out(19);
  const Bytes in(4);
  for (const std::size_t size : {0U, 11U, 13U, 16U}) {
    const Bytes iv(size);
    EXPECT_TRUE(FailsWith(session_.EncryptGcm(key, {iv, {}}, {}, out), Code::kInvalid));
    EXPECT_TRUE(FailsWith(session_.DecryptGcm(key, {iv, {}}, in, out), Code::kInvalid));
  }
  EXPECT_TRUE(FailsWith(session_.EncryptGcm(key, {iv_, {}}, in, out), Code::kInvalid));
  EXPECT_TRUE(FailsWith(session_.DecryptGcm(key, {iv_, {}}, Bytes(20), out), Code::kInvalid));
}

TEST_F(SessionOperationsTest, KwpRoundTripsUnderAMasterThatPinsWhatComesOut) {
  const ObjectHandle master = NewMaster();
  const ObjectHandle key = Generate(MechanismType::kAesKeyGen, ExtractableKey());
  const auto blob = session_.WrapKey(MechanismType::kAesKeyWrapPad, master, key);
  ASSERT_TRUE(Succeeds(blob));
  EXPECT_EQ(blob->size(), 40U);
  EXPECT_EQ(blob->capacity(), 40U)
      << "it is kept: room for the longest would be a hundred times it";
  const auto back = session_.UnwrapKey(MechanismType::kAesKeyWrapPad, master, *blob, PinnedKey());
  ASSERT_TRUE(Succeeds(back));
  EXPECT_FALSE(*session_.GetBool(*back, AttributeType::kExtractable));

  const auto stolen =
      session_.UnwrapKey(MechanismType::kAesKeyWrapPad, master, *blob, SecretKey(KeyType::kAes));
  EXPECT_TRUE(FailsWith(stolen, Code::kTokenRefused));
}

TEST_F(SessionOperationsTest, KwpUnwrapsTheSameKey) {
  const ObjectHandle master = NewMaster();
  Attributes attributes = ExtractableKey();
  attributes.Add(AttributeType::kEncrypt, true);
  const ObjectHandle key = Generate(MechanismType::kAesKeyGen, attributes);
  const Bytes sealed = Seal(key, {}, AsBytes("before wrapping"));
  const auto blob = session_.WrapKey(MechanismType::kAesKeyWrapPad, master, key);
  ASSERT_TRUE(Succeeds(blob));
  Attributes usable;
  usable.Add(AttributeType::kDecrypt, true).Append(PinnedKey());
  const auto back = session_.UnwrapKey(MechanismType::kAesKeyWrapPad, master, *blob, usable);
  ASSERT_TRUE(Succeeds(back));
  const auto opened = Open(*back, {}, sealed);
  ASSERT_TRUE(Succeeds(opened));
  EXPECT_EQ(AsText(*opened), "before wrapping");
}

TEST_F(SessionOperationsTest, KwpRefusesChangedTruncatedAndForeignBlobs) {
  const ObjectHandle master = NewMaster();
  const ObjectHandle key = Generate(MechanismType::kAesKeyGen, ExtractableKey());
  const auto blob = session_.WrapKey(MechanismType::kAesKeyWrapPad, master, key);
  ASSERT_TRUE(Succeeds(blob));
  const auto unwrap = [&](ObjectHandle under, ByteView octets) {
    return session_.UnwrapKey(MechanismType::kAesKeyWrapPad, under, octets, PinnedKey());
  };
  for (std::size_t i = 0; i < blob->size(); ++i) {
    Bytes changed = *blob;
    changed[i] ^= 1;
    EXPECT_FALSE(unwrap(master, changed)) << i;
  }
  for (const std::size_t size : {0U, 8U, 16U, 32U, 39U}) {
    EXPECT_FALSE(unwrap(master, ByteView(*blob).first(size))) << size;
  }
  Bytes longer = *blob;
  longer.resize(48);
  EXPECT_FALSE(unwrap(master, longer));
  EXPECT_FALSE(unwrap(NewMaster(), *blob));
  EXPECT_TRUE(unwrap(master, *blob));
}

TEST_F(SessionOperationsTest, KwpIsRfc5649AsOpensslDoesIt) {
  const Bytes wrapping_key(32, 0x11);
  const Bytes value(32, 0x22);
  const auto blob = session_.WrapKey(MechanismType::kAesKeyWrapPad,
                                     Known(KeyType::kAes, wrapping_key, AttributeType::kWrap),
                                     Known(KeyType::kAes, value, AttributeType::kEncrypt));
  ASSERT_TRUE(Succeeds(blob));
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&::EVP_CIPHER_CTX_free)> context(
      ::EVP_CIPHER_CTX_new(), &::EVP_CIPHER_CTX_free);
  ::EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  ASSERT_EQ(::EVP_EncryptInit_ex(context.get(), ::EVP_aes_256_wrap_pad(), nullptr,
                                 wrapping_key.data(), nullptr),
            1);
  Bytes expected(48);
  int size = 0;
  ASSERT_EQ(::EVP_EncryptUpdate(context.get(), expected.data(), &size, value.data(), 32), 1);
  expected.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(ToHex(*blob), ToHex(expected));
}

TEST_F(SessionOperationsTest, WrapsAKeyPairsPrivateKeyWhole) {
  Attributes public_attributes;
  public_attributes.Add(AttributeType::kToken, false)
      .Add(AttributeType::kModulusBits, 2048UL)
      .Add(AttributeType::kPublicExponent, ByteView(Bytes{1, 0, 1}));
  Attributes private_attributes;
  private_attributes.Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true)
      .Add(AttributeType::kSign, true)
      .Add(AttributeType::kExtractable, true);
  const auto pair = session_.GenerateKeyPair(MechanismType::kRsaPkcsKeyPairGen, public_attributes,
                                             private_attributes);
  ASSERT_TRUE(Succeeds(pair));
  EXPECT_EQ(session_.GetBytes(pair->public_key, AttributeType::kModulus)->size(), 256U);
  const ObjectHandle wrapping = Known(KeyType::kAes, Bytes(32, 0x11), AttributeType::kWrap);
  const auto blob = session_.WrapKey(MechanismType::kAesKeyWrapPad, wrapping, pair->private_key);
  ASSERT_TRUE(Succeeds(blob));
  EXPECT_GT(blob->size(), 1'000U);
  std::array<std::uint8_t, 256> signature{};
  EXPECT_TRUE(Succeeds(
      session_.Sign(MechanismType::kRsaPkcs, pair->private_key, AsBytes("digest"), signature)));
  EXPECT_TRUE(Succeeds(
      session_.Verify(MechanismType::kRsaPkcs, pair->public_key, AsBytes("digest"), signature)));
}

// The check vector of coffer-kdf-aesecb-1's building block.
TEST_F(SessionOperationsTest, DerivesByAesEcbEncryptData) {
  Bytes value(32);
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<std::uint8_t>(i);
  Bytes data(32, 0xaa);
  data[0] = 0;
  data[16] = 1;
  ObjectHandle key = Known(KeyType::kAes, value, AttributeType::kDerive);
  for (const char* expected :
       {"1d474027695f0a8e9e6a379835857b2911cd24459d4de4499a31d6ad24dd1b48",
        "0cb712955d6bce8a8c89b3808b3030a406a806115fccf1bcd2207abec1ee0bd8"}) {
    Attributes attributes = SecretKey(KeyType::kAes);
    attributes.Add(AttributeType::kSensitive, false)
        .Add(AttributeType::kExtractable, true)
        .Add(AttributeType::kDerive, true)
        .Add(AttributeType::kValueLen, 32UL);
    const auto derived =
        session_.DeriveKey({MechanismType::kAesEcbEncryptData, data}, key, attributes);
    ASSERT_TRUE(Succeeds(derived));
    EXPECT_EQ(ToHex(*session_.GetBytes(*derived, AttributeType::kValue)), expected);
    key = *derived;
  }
}

// RFC 4231, test case 6; SoftHSM refuses keys shorter than the hash.
TEST_F(SessionOperationsTest, SignsWithHmacSha256) {
  const ObjectHandle key = Known(KeyType::kGenericSecret, Bytes(131, 0xaa), AttributeType::kSign);
  std::array<std::uint8_t, 64> mac{};
  const auto size =
      session_.Sign(MechanismType::kSha256Hmac, key,
                    AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
  ASSERT_TRUE(Succeeds(size));
  EXPECT_EQ(ToHex(ByteView(mac).first(*size)),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_F(SessionOperationsTest, VerifyRefusesAChangedMac) {
  const ObjectHandle key = NewMacKey();
  std::array<std::uint8_t, 32> mac{};
  ASSERT_TRUE(Succeeds(session_.Sign(MechanismType::kSha256Hmac, key, AsBytes("m"), mac)));
  EXPECT_TRUE(Succeeds(session_.Verify(MechanismType::kSha256Hmac, key, AsBytes("m"), mac)));
  mac[0] ^= 1;
  EXPECT_TRUE(FailsWith(session_.Verify(MechanismType::kSha256Hmac, key, AsBytes("m"), mac),
                        Code::kAuthenticationFailed));
  EXPECT_FALSE(session_.Broken());
}

TEST_F(SessionOperationsTest, ASignatureThatDoesNotFitLeavesTheSessionUsable) {
  const ObjectHandle key = NewMacKey();
  std::array<std::uint8_t, 31> small{};
  EXPECT_TRUE(FailsWith(session_.Sign(MechanismType::kSha256Hmac, key, AsBytes("m"), small),
                        Code::kTokenRefused));
  ASSERT_FALSE(session_.Broken());
  std::array<std::uint8_t, 32> mac{};
  EXPECT_TRUE(Succeeds(session_.Sign(MechanismType::kSha256Hmac, key, AsBytes("m"), mac)));
}

TEST_F(SessionOperationsTest, EncryptsAndDecryptsWithAnyOtherMechanism) {
  const ObjectHandle key = NewDataKey();
  const Bytes iv(16, 7);
  const Mechanism mechanism(MechanismType::kAesCbcPad, iv);
  for (const std::size_t size : {1U, 16U, 5'000U}) {
    const Bytes plaintext(size, 3);
    const auto sealed = session_.Encrypt(mechanism, key, plaintext);
    ASSERT_TRUE(Succeeds(sealed));
    EXPECT_EQ(sealed->size(), (size / 16 + 1) * 16);
    const auto opened = session_.Decrypt(mechanism, key, *sealed);
    ASSERT_TRUE(Succeeds(opened));
    EXPECT_EQ(*opened, plaintext);
  }
  EXPECT_FALSE(session_.Decrypt(mechanism, key, Bytes(15)));
}

TEST_F(SessionOperationsTest, RefusesAMechanismTheKeyDoesNotAllow) {
  Attributes attributes = DataKey();
  attributes.AddMechanisms(AttributeType::kAllowedMechanisms, {MechanismType::kAesGcm});
  const ObjectHandle key = Generate(MechanismType::kAesKeyGen, attributes);
  EXPECT_TRUE(
      FailsWith(session_.Encrypt(MechanismType::kAesEcb, key, Bytes(16)), Code::kTokenRefused));
  Seal(key, {}, AsBytes("allowed"));
}

TEST_F(SessionOperationsTest, DigestsAKeyWhereTheTokenLetsIt) {
  const ObjectHandle key = Known(KeyType::kGenericSecret, AsBytes("abc"), AttributeType::kSign);
  const auto digest = session_.DigestKey(MechanismType::kSha256, key);
  ASSERT_TRUE(Succeeds(digest));
  EXPECT_EQ(ToHex(*digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(SessionOperationsTest, FillsRandomOctets) {
  std::array<std::uint8_t, 64> first{};
  std::array<std::uint8_t, 64> second{};
  ASSERT_TRUE(Succeeds(session_.GenerateRandom(first)));
  ASSERT_TRUE(Succeeds(session_.GenerateRandom(second)));
  EXPECT_NE(first, second);
  EXPECT_TRUE(Succeeds(session_.GenerateRandom({})));
}

TEST_F(SessionOperationsTest, AnUnknownKeyHandleIsALostToken) {
  Bytes out(16);
  EXPECT_TRUE(FailsWith(session_.EncryptGcm(999'999, {iv_, {}}, {}, out), Code::kTokenLost));
  EXPECT_FALSE(session_.Broken());
}

}  // namespace
}  // namespace coffer::pkcs11
