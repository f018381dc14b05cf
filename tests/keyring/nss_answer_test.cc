// ChaCha20-Poly1305 and HKDF as a token does them that has them: NSS softokn, on session objects,
// against OpenSSL. No token of Debian 12 has them and holds Coffer's keys as well, so the
// mechanisms' parameters and the derivations are shown here and the rest with a stand-in
// (tests/fakes/stand_in_pkcs11_module.cc).

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "coffer/pkcs11/module.h"
#include "fakes/vectors.h"
#include "keyring/key_derivation.h"
#include "keyring/key_mechanisms.h"

namespace coffer::keyring {
namespace {

using fakes::FromHex;
using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;
using pkcs11::ObjectHandle;

constexpr const char* kLibrary = "/usr/lib/" COFFER_MULTIARCH "/libsoftokn3.so";

class NssAnswerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(kLibrary))
        << kLibrary << ": scripts/install_packages.sh test installs it";
    auto module = pkcs11::Module::Load(
        kLibrary, pkcs11::Threading::kOsLocking, {},
        "configdir='' certPrefix='' keyPrefix='' secmod='' flags=noCertDB,noModDB,readOnly");
    ASSERT_TRUE(module) << module.error().message << " | " << module.error().cause;
    module_ = *std::move(module);
    const auto slot = module_->FindToken("NSS Generic Crypto Services");
    ASSERT_TRUE(slot) << slot.error().message;
    session_ = module_->OpenSession(*slot).value();
  }
  void TearDown() override {
    session_.reset();
    module_.reset();
  }
  // A key whose value this test knows, for one use.
  ObjectHandle Known(pkcs11::KeyType type, std::initializer_list<AttributeType> uses,
                     const Bytes& value) {
    Attributes attributes;
    attributes.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
        .Add(AttributeType::kKeyType, type)
        .Add(AttributeType::kToken, false);
    for (const AttributeType use : uses) attributes.Add(use, true);
    attributes.Add(AttributeType::kValue, ByteView(value));
    const auto key = session_->CreateObject(attributes);
    EXPECT_TRUE(key) << key.error().cause;
    return key.value_or(pkcs11::kNoObject);
  }

  ObjectMaker objects_;
  std::unique_ptr<pkcs11::Module> module_;
  std::optional<pkcs11::Session> session_;
};

// OpenSSL's, for comparison: ciphertext || tag.
Bytes Seal(const EVP_CIPHER* cipher, const Bytes& key, ByteView nonce, ByteView aad,
           ByteView message) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  Bytes sealed(message.size() + 16);
  int size = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.data(), nonce.data()), 1);
  EXPECT_EQ(
      EVP_EncryptUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size())),
      1);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), sealed.data(), &size, message.data(),
                              static_cast<int>(message.size())),
            1);
  EXPECT_EQ(EVP_EncryptFinal_ex(context.get(), sealed.data() + size, &size), 1);
  EXPECT_EQ(
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, sealed.data() + message.size()),
      1);
  return sealed;
}

Bytes Hkdf(ByteView key, ByteView salt, ByteView info, std::size_t octets) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), EVP_PKEY_CTX_free);
  Bytes derived(octets);
  EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set1_hkdf_key(context.get(), key.data(), static_cast<int>(key.size())), 1);
  if (!salt.empty()) {
    EXPECT_EQ(
        EVP_PKEY_CTX_set1_hkdf_salt(context.get(), salt.data(), static_cast<int>(salt.size())), 1);
  }
  EXPECT_EQ(EVP_PKEY_CTX_add1_hkdf_info(context.get(), info.data(), static_cast<int>(info.size())),
            1);
  EXPECT_EQ(EVP_PKEY_derive(context.get(), derived.data(), &octets), 1);
  return derived;
}

Bytes Counting(std::size_t octets, std::uint8_t first) {
  Bytes bytes(octets);
  for (std::size_t i = 0; i < octets; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

// RFC 8439, 2.8.2.
TEST_F(NssAnswerTest, ChaCha20Poly1305IsTheStandards) {
  const ObjectHandle key =
      Known(pkcs11::KeyType::kChaCha20, {AttributeType::kEncrypt, AttributeType::kDecrypt},
            Counting(32, 0x80));
  const Bytes nonce = FromHex("070000004041424344454647");
  const Bytes aad = FromHex("50515253c0c1c2c3c4c5c6c7");
  const ByteView message = AsBytes(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.");
  Bytes sealed(message.size() + 16);
  const auto written = session_->EncryptChaCha20Poly1305(key, {nonce, aad}, message, sealed);
  ASSERT_TRUE(written) << written.error().cause;
  EXPECT_EQ(*written, sealed.size());
  EXPECT_EQ(ToHex(ByteView(sealed).last(16)), "1ae10b594f09e26a7e902ecbd0600691");
  EXPECT_EQ(ToHex(ByteView(sealed).first(16)), "d31a8d34648e60db7b86afbc53ef7ec2");
}

TEST_F(NssAnswerTest, OpenSslOpensWhatTheTokenSealsAndTheOtherWayRound) {
  const Bytes value = Counting(32, 1);
  const ObjectHandle key =
      Known(pkcs11::KeyType::kChaCha20, {AttributeType::kEncrypt, AttributeType::kDecrypt}, value);
  for (const std::size_t octets :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{100'000}}) {
    for (const std::size_t aad_octets : {std::size_t{0}, std::size_t{20}}) {
      const Bytes nonce = Counting(12, static_cast<std::uint8_t>(octets));
      const Bytes aad = Counting(aad_octets, 7);
      const Bytes message = Counting(octets, 9);
      const Bytes theirs = Seal(EVP_chacha20_poly1305(), value, nonce, aad, message);
      Bytes ours(octets + 16);
      ASSERT_TRUE(session_->EncryptChaCha20Poly1305(key, {nonce, aad}, message, ours));
      EXPECT_EQ(ours, theirs) << octets << " " << aad_octets;
      Bytes opened(theirs.size());
      const auto size = session_->DecryptChaCha20Poly1305(key, {nonce, aad}, theirs, opened);
      ASSERT_TRUE(size) << size.error().cause;
      opened.resize(*size);
      EXPECT_EQ(opened, message);
    }
  }
}

TEST_F(NssAnswerTest, AChangedTagIsRefusedAndLeavesNoPlaintext) {
  const ObjectHandle key =
      Known(pkcs11::KeyType::kChaCha20, {AttributeType::kEncrypt, AttributeType::kDecrypt},
            Counting(32, 1));
  const Bytes nonce(12);
  Bytes sealed(20 + 16);
  ASSERT_TRUE(session_->EncryptChaCha20Poly1305(key, {nonce, {}}, Counting(20, 1), sealed));
  sealed.back() ^= 1;
  Bytes opened(sealed.size());
  EXPECT_FALSE(session_->DecryptChaCha20Poly1305(key, {nonce, {}}, sealed, opened));
  EXPECT_EQ(opened, Bytes(sealed.size()));
  Bytes other(sealed.size() - 1);
  EXPECT_FALSE(session_->DecryptChaCha20Poly1305(key, {nonce, {}}, sealed, other)) << "no room";
  EXPECT_FALSE(session_->EncryptChaCha20Poly1305(key, {Bytes(24), {}}, {}, opened)) << "nonce";
}

// RFC 5869, test cases 1 (salt, info) and 3 (neither).
TEST_F(NssAnswerTest, HkdfIsTheStandards) {
  const Bytes salt = Counting(13, 0);
  const Bytes info = Counting(10, 0xf0);
  const struct {
    pkcs11::HkdfParameters parameters;
    const char* output;
  } kCases[] = {
      {{MechanismType::kSha256, salt, info},
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {{}, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"}};
  const ObjectHandle base =
      Known(pkcs11::KeyType::kHkdf, {AttributeType::kDerive}, Bytes(22, 0x0b));
  for (const auto& each : kCases) {
    Attributes readable;
    readable.Add(AttributeType::kClass, pkcs11::ObjectClass::kSecretKey)
        .Add(AttributeType::kKeyType, pkcs11::KeyType::kGenericSecret)
        .Add(AttributeType::kSensitive, false)
        .Add(AttributeType::kExtractable, true)
        .Add(AttributeType::kValueLen, 42UL);
    const auto derived = session_->DeriveHkdf(base, each.parameters, readable);
    ASSERT_TRUE(derived) << derived.error().cause;
    EXPECT_EQ(ToHex(session_->GetBytes(*derived, AttributeType::kValue).value()), each.output);
  }
}

// The reference's derived keys, bit for bit: HKDF-SHA256 of the key without a salt, the context for
// its info.
TEST_F(NssAnswerTest, DerivedKeysAreHkdfsOfTheContext) {
  const struct {
    KeyType type;
    const EVP_CIPHER* cipher;
  } kTypes[] = {{KeyType::kAes128Gcm96, EVP_aes_128_gcm()},
                {KeyType::kAes256Gcm96, EVP_aes_256_gcm()},
                {KeyType::kChaCha20Poly1305, EVP_chacha20_poly1305()}};
  for (const auto& each : kTypes) {
    const KeySpec spec{.type = each.type, .derived = true, .kdf = Kdf::kHkdfSha256};
    const Bytes value = Counting(SecretOctets(spec), 0x40);
    const ObjectHandle base = Known(pkcs11::KeyType::kHkdf, {AttributeType::kDerive}, value);
    const auto key =
        DeriveKey(objects_, *session_, spec, base, DerivedUse::kCipher, AsBytes("a context"));
    ASSERT_TRUE(key) << KeyTypeName(each.type) << " " << key.error().cause;
    const Bytes nonce = Counting(12, 3);
    const Bytes message = Counting(33, 5);
    Bytes sealed(message.size() + 16);
    const pkcs11::AeadParameters parameters{nonce, AsBytes("aad")};
    const auto size = InfoOf(each.type).cipher() == Cipher::kAesGcm
                          ? session_->EncryptGcm(*key, parameters, message, sealed)
                          : session_->EncryptChaCha20Poly1305(*key, parameters, message, sealed);
    ASSERT_TRUE(size) << size.error().cause;
    EXPECT_EQ(sealed, Seal(each.cipher, Hkdf(value, {}, AsBytes("a context"), value.size()), nonce,
                           AsBytes("aad"), message))
        << KeyTypeName(each.type);
    EXPECT_FALSE(session_->GetBytes(*key, AttributeType::kValue)) << "sensitive";
  }
}

TEST_F(NssAnswerTest, TheNoncesKeyHasASaltOfItsOwn) {
  const KeySpec spec{.type = KeyType::kAes256Gcm96, .derived = true, .kdf = Kdf::kHkdfSha256};
  const Bytes value = Counting(32, 0);
  const ObjectHandle base = Known(pkcs11::KeyType::kHkdf, {AttributeType::kDerive}, value);
  const auto key =
      DeriveKey(objects_, *session_, spec, base, DerivedUse::kNonce, AsBytes("coffer"));
  ASSERT_TRUE(key) << key.error().cause;
  Bytes mac(32);
  ASSERT_TRUE(session_->Sign(MechanismType::kSha256Hmac, *key, AsBytes("input"), mac));
  const Bytes expected = Hkdf(value, AsBytes("coffer-convergent-nonce"), AsBytes("coffer"), 32);
  // docs/formats.md has these.
  EXPECT_EQ(ToHex(expected), "32d4e48be28e92a3df4d12522fbc58491c617eb075e0e89ee8f18a7685448973");
  EXPECT_EQ(ToHex(Hkdf(value, {}, AsBytes("coffer"), 32)),
            "58935ebdb7507364e6644ed46b20c9d8753abf63374676989d2ff31bc0568bc5");
  EXPECT_EQ(ToHex(Hkdf(Counting(16, 0), {}, AsBytes("coffer"), 16)),
            "5b0c9ea112d52e55a3599be32977cfe9");
  unsigned int octets = 0;
  Bytes theirs(32);
  HMAC(EVP_sha256(), expected.data(), static_cast<int>(expected.size()), AsBytes("input").data(), 5,
       theirs.data(), &octets);
  EXPECT_EQ(mac, theirs);
}

}  // namespace
}  // namespace coffer::keyring
