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

TEST(KeyTest, EncryptionRefusesVersionsWithTheReferencesTexts) {
  Key key = KeyWithVersions(3);
  EXPECT_EQ(TextOf(key.ForEncryption(-1)), "requested version for encryption is negative");
  EXPECT_EQ(TextOf(key.ForEncryption(4)),
            "requested version for encryption is higher than the latest key version");
  key.settings.min_encryption_version = 2;
  EXPECT_EQ(TextOf(key.ForEncryption(1)),
            "requested version for encryption is less than the minimum encryption key version");
  EXPECT_EQ(TextOf(key.ForEncryption(2)), "version 2");
  key.settings.soft_deleted = true;
  EXPECT_EQ(TextOf(key.ForEncryption(0)), "refusing to use soft-deleted key");
}

TEST(KeyTest, DecryptionRefusesVersionsWithTheReferencesTexts) {
  Key key = KeyWithVersions(3);
  EXPECT_EQ(TextOf(key.ForDecryption(0)), "version 1");
  EXPECT_EQ(TextOf(key.ForDecryption(4)), "invalid ciphertext: version is too new");
  key.settings.min_decryption_version = 2;
  EXPECT_EQ(TextOf(key.ForDecryption(1)),
            "ciphertext or signature version is disallowed by policy (too old)");
  key.versions.erase(2);
  EXPECT_EQ(TextOf(key.ForDecryption(2)), "no such key version");
  key.settings.soft_deleted = true;
  EXPECT_EQ(TextOf(key.ForDecryption(3)), "refusing to use soft-deleted key");
}

TEST(KeyTest, SigningAndVerifyingSayWhatTheyRefuse) {
  Key key = KeyWithVersions(3);
  key.settings.min_encryption_version = 2;
  key.settings.min_decryption_version = 2;
  EXPECT_EQ(TextOf(key.ForSigning(0)), "version 3");
  EXPECT_EQ(TextOf(key.ForSigning(-1)), "requested version for signing is negative");
  EXPECT_EQ(TextOf(key.ForSigning(1)),
            "requested version for signing is less than the minimum encryption key version");
  EXPECT_EQ(TextOf(key.ForVerification(4)), "invalid signature: version is too new");
  for (const int version : {0, 1}) {
    EXPECT_EQ(TextOf(key.ForVerification(version)),
              "ciphertext or signature version is disallowed by policy (too old)");
  }
}

TEST(KeyTest, NothingIsMadeThatCouldNotBeReadAgain) {
  Key key = KeyWithVersions(3);
  key.settings.min_decryption_version = 2;
  EXPECT_EQ(TextOf(key.ForEncryption(1)), "no such key version");
  EXPECT_EQ(TextOf(key.ForSigning(1)), "no such key version");
  EXPECT_EQ(TextOf(key.ForMac(1)), "no such key version");
  EXPECT_EQ(TextOf(key.ForCertificateRequest(1)), "no such key version");
  EXPECT_EQ(TextOf(key.ForEncryption(2)), "version 2");
  EXPECT_EQ(TextOf(key.ForMac(2)), "version 2");
}

TEST(KeyTest, ACertificateRequestIsNotBoundByTheMinimumEncryptionVersion) {
  Key key = KeyWithVersions(3);
  key.settings.min_encryption_version = 3;
  EXPECT_EQ(TextOf(key.ForCertificateRequest(1)), "version 1");
  EXPECT_EQ(TextOf(key.ForCertificateRequest(0)), "version 3");
  EXPECT_EQ(TextOf(key.ForCertificateRequest(4)), "no such key version");
  EXPECT_EQ(TextOf(key.ForCertificateRequest(-1)), "no such key version");
}

TEST(KeyTest, MacsSayWhatTheyRefuse) {
  Key key = KeyWithVersions(3);
  key.settings.min_encryption_version = 2;
  key.settings.min_decryption_version = 2;
  EXPECT_EQ(TextOf(key.ForMac(3)), "version 3");
  EXPECT_EQ(TextOf(key.ForMac(4)), "key version does not exist; latest key version is 3");
  EXPECT_EQ(TextOf(key.ForMac(1)),
            "cannot generate HMAC: version is too old (disallowed by policy)");
  EXPECT_EQ(TextOf(key.ForMac(-1)), "key version does not exist (cannot be negative)");
  EXPECT_EQ(TextOf(key.ForMacVerification(0)),
            "cannot verify HMAC: version is too old (disallowed by policy)");
  EXPECT_EQ(TextOf(key.ForMacVerification(4)), "invalid HMAC: version is too new");
  EXPECT_EQ(TextOf(key.ForMacVerification(1)),
            "cannot verify HMAC: version is too old (disallowed by policy)");
}

}  // namespace
}  // namespace coffer::keyring
