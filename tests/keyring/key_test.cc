#include "coffer/keyring/key.h"

#include <gtest/gtest.h>

namespace coffer::keyring {
namespace {

Key KeyWithVersions(int latest) {
  Key key;
  key.latest_version = latest;
  for (int version = 1; version <= latest; ++version) key.versions[version].info.version = version;
  return key;
}

std::string TextOf(const Result<const KeyVersion*>& result) {
  return result ? "version " + std::to_string((*result)->info.version) : result.error().message;
}

// The refusal's name and its purpose.
std::string NameOf(const Result<const KeyVersion*>& result) {
  if (result) return TextOf(result);
  const std::string_view name = InfoOf(result.error().refusal).name;
  return std::string(name) + ", " + std::string(PurposeName(result.error().arguments.purpose));
}

TEST(KeyNameTest, AcceptsVaultsGenericNames) {
  for (const char* name : {"a", "a-b", "a.b", "_x_", "payments-2026.v1", "A0"}) {
    EXPECT_TRUE(KeyName::Parse(name)) << name;
  }
}

TEST(KeyNameTest, RefusesWhatIsNotOne) {
  for (const std::string name : {"", "-a", "a-", ".a", "a.", "a b", "a/b", "ä", "a\n", "a*"}) {
    EXPECT_FALSE(KeyName::Parse(name)) << name;
  }
  EXPECT_FALSE(KeyName::Parse(std::string(257, 'a')));
  EXPECT_FALSE(KeyName::Parse(std::string("a\0b", 3)));
}

TEST(KeyTypeTest, NamesAndParsesEachType) {
  EXPECT_EQ(KeyTypes().size(), 14U);
  for (const KeyTypeInfo& info : KeyTypes()) {
    const auto parsed = ParseKeyType(info.name);
    ASSERT_TRUE(parsed) << info.name;
    EXPECT_EQ(*parsed, info.type);
    EXPECT_EQ(&InfoOf(info.type), &info);
    EXPECT_EQ(FindKeyType(static_cast<std::int64_t>(info.type)), &info);
  }
  for (const std::int64_t number : {-1, 0, 15, 256}) EXPECT_EQ(FindKeyType(number), nullptr);
  EXPECT_EQ(ParseKeyType("rot13").error().message, "unknown key type rot13");
  EXPECT_EQ(ParseKeyType("mldsa-44").error().message,
            "key type mldsa-44 is not supported: no token that it could be tested with makes such "
            "keys");
}

TEST(KeyTypeTest, KdfsAreStoredByNumber) {
  EXPECT_EQ(FindKdf(0), Kdf::kNone);
  EXPECT_EQ(FindKdf(1), Kdf::kAesEcb1);
  EXPECT_EQ(FindKdf(2), Kdf::kHkdfSha256);
  EXPECT_EQ(FindKdf(3), std::nullopt);
  EXPECT_EQ(FindKdf(-1), std::nullopt);
  EXPECT_EQ(KdfName(Kdf::kNone), "");
  EXPECT_EQ(KdfName(Kdf::kAesEcb1), "coffer-kdf-aesecb-1");
  EXPECT_EQ(KdfName(Kdf::kHkdfSha256), "hkdf_sha256");
}

TEST(KeyTypeTest, TypesThatEncryptWithSecretKeysAreCounted) {
  for (const KeyTypeInfo& info : KeyTypes()) {
    EXPECT_EQ(info.Counted(), info.associated_data) << info.name;
  }
}

TEST(KeyTest, EncryptionUsesTheLatestVersionByDefault) {
  EXPECT_EQ(TextOf(KeyWithVersions(3).ForEncryption(0)), "version 3");
  EXPECT_EQ(TextOf(KeyWithVersions(3).ForEncryption(2)), "version 2");
}

TEST(KeyTest, EncryptionRefusesVersions) {
  Key key = KeyWithVersions(3);
  EXPECT_EQ(NameOf(key.ForEncryption(-1)), "version_negative, encryption");
  EXPECT_EQ(TextOf(key.ForEncryption(4)),
            "version 4 for encryption is above the latest version, 3");
  key.settings.min_encryption_version = 2;
  EXPECT_EQ(TextOf(key.ForEncryption(1)),
            "version 1 for encryption is below min_encryption_version, 2");
  EXPECT_EQ(TextOf(key.ForEncryption(2)), "version 2");
  key.settings.soft_deleted = true;
  EXPECT_EQ(NameOf(key.ForEncryption(0)), "key_soft_deleted, nothing");
}

TEST(KeyTest, DecryptionRefusesVersions) {
  Key key = KeyWithVersions(3);
  EXPECT_EQ(TextOf(key.ForDecryption(0)), "version 1");
  EXPECT_EQ(NameOf(key.ForDecryption(4)), "above_latest_version, decryption");
  key.settings.min_decryption_version = 2;
  EXPECT_EQ(TextOf(key.ForDecryption(1)),
            "version 1 for decryption is below min_decryption_version, 2");
  key.versions.erase(2);
  EXPECT_EQ(NameOf(key.ForDecryption(2)), "no_such_key_version, nothing");
  key.settings.soft_deleted = true;
  EXPECT_EQ(NameOf(key.ForDecryption(3)), "key_soft_deleted, nothing");
}

TEST(KeyTest, SigningAndVerifyingSayWhatTheyRefuse) {
  Key key = KeyWithVersions(3);
  key.settings.min_encryption_version = 2;
  key.settings.min_decryption_version = 2;
  EXPECT_EQ(TextOf(key.ForSigning(0)), "version 3");
  EXPECT_EQ(NameOf(key.ForSigning(-1)), "version_negative, signing");
  EXPECT_EQ(NameOf(key.ForSigning(1)), "below_min_encryption_version, signing");
  EXPECT_EQ(NameOf(key.ForVerification(4)), "above_latest_version, verification");
  for (const int version : {0, 1}) {
    EXPECT_EQ(NameOf(key.ForVerification(version)), "below_min_decryption_version, verification");
  }
}

TEST(KeyTest, NothingIsMadeThatCouldNotBeReadAgain) {
  Key key = KeyWithVersions(3);
  key.settings.min_decryption_version = 2;
  EXPECT_EQ(NameOf(key.ForEncryption(1)), "below_min_decryption_version, encryption");
  EXPECT_EQ(NameOf(key.ForSigning(1)), "below_min_decryption_version, signing");
  EXPECT_EQ(NameOf(key.ForMac(1)), "below_min_decryption_version, HMAC");
  EXPECT_EQ(NameOf(key.ForCertificateRequest(1)),
            "below_min_decryption_version, certificate requests");
  EXPECT_EQ(TextOf(key.ForEncryption(2)), "version 2");
  EXPECT_EQ(TextOf(key.ForMac(2)), "version 2");
}

TEST(KeyTest, ACertificateRequestIsNotBoundByTheMinimumEncryptionVersion) {
  Key key = KeyWithVersions(3);
  key.settings.min_encryption_version = 3;
  EXPECT_EQ(TextOf(key.ForCertificateRequest(1)), "version 1");
  EXPECT_EQ(TextOf(key.ForCertificateRequest(0)), "version 3");
  EXPECT_EQ(NameOf(key.ForCertificateRequest(4)), "above_latest_version, certificate requests");
  EXPECT_EQ(NameOf(key.ForCertificateRequest(-1)), "version_negative, certificate requests");
}

TEST(KeyTest, MacsSayWhatTheyRefuse) {
  Key key = KeyWithVersions(3);
  key.settings.min_encryption_version = 2;
  key.settings.min_decryption_version = 2;
  EXPECT_EQ(TextOf(key.ForMac(3)), "version 3");
  EXPECT_EQ(TextOf(key.ForMac(4)), "version 4 for HMAC is above the latest version, 3");
  EXPECT_EQ(NameOf(key.ForMac(1)), "below_min_encryption_version, HMAC");
  EXPECT_EQ(NameOf(key.ForMac(-1)), "version_negative, HMAC");
  EXPECT_EQ(NameOf(key.ForMacVerification(4)), "above_latest_version, HMAC verification");
  for (const int version : {0, 1}) {
    EXPECT_EQ(NameOf(key.ForMacVerification(version)),
              "below_min_decryption_version, HMAC verification");
  }
}

}  // namespace
}  // namespace coffer::keyring
