// Exportable keys leave the token wrapped for another server and in no other way; certificates are
// kept with a version and under the key's MAC.

#include <gtest/gtest.h>

#include <string>

#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

using crypto::HashAlgorithm;

class KeyExportTest : public KeyRingTest {
 protected:
  void CreateExportable(std::string_view name, KeyType type) {
    CreateOptions options;
    options.type = type;
    options.exportable = true;
    Create(name, options);
  }
  Result<Bytes> ExportTo(const ImportWrapping& wrapping, std::string_view name,
                         HashAlgorithm hash = HashAlgorithm::kSha1) {
    COFFER_ASSIGN(const auto destination, crypto::PublicKey::FromSpki(wrapping.spki));
    COFFER_ASSIGN(const auto key, keys_->Find(LaneOf(0), mount_, name));
    return keys_->Export(*key, key->versions.at(1), *destination, hash);
  }
};

TEST_F(KeyExportTest, AnExportedKeyIsImportedAsTheSameKey) {
  const auto wrapping = keys_->ImportWrappingKey();
  Must(wrapping);
  for (const KeyType type :
       {KeyType::kAes128Gcm96, KeyType::kAes256Gcm96, KeyType::kRsa2048, KeyType::kEcdsaP256,
        KeyType::kEcdsaP521, KeyType::kHmac, KeyType::kAes256Cmac}) {
    const std::string name(KeyTypeName(type));
    CreateExportable(name, type);
    const auto exported = ExportTo(*wrapping, name);
    Must(exported);
    ImportedMaterial material;
    material.wrapped = *exported;
    material.hash = HashAlgorithm::kSha1;
    CreateOptions options;
    options.type = type;
    const auto imported =
        keys_->Import(mount_, Name(name + "-copy"), options, false, material, actor_);
    Must(imported);
    const auto original = keys_->Find(LaneOf(0), mount_, name);
    Must(original);
    const KeyVersion& version = (*original)->versions.at(1);
    if (type == KeyType::kAes256Gcm96) {
      const auto sealed = Encrypt(name, "text");
      Must(sealed);
      EXPECT_EQ(*Decrypt(name + "-copy", 1, *sealed), "text");
    } else if ((*original)->Info().Asymmetric()) {
      EXPECT_EQ((*imported)->versions.at(1).spki, version.spki);
    } else if (type == KeyType::kHmac) {
      const SignMechanism how{SignMechanism::Kind::kHmac};
      EXPECT_EQ(*LaneOf(0).Sign(**original, version, how, AsBytes("text")),
                *LaneOf(0).Sign(**imported, (*imported)->versions.at(1), how, AsBytes("text")));
    }
  }
}

TEST_F(KeyExportTest, AKeyThatWasNotCreatedExportableIsNot) {
  const auto wrapping = keys_->ImportWrappingKey();
  Must(wrapping);
  Create("k");
  const auto refused = ExportTo(*wrapping, "k");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::kKeyNotExportable);
  Tamper("UPDATE keys SET exportable = 1");
  Must(Reopen());
  EXPECT_FALSE(keys_->Find(LaneOf(0), mount_, "k")) << "the row's MAC covers it";
}

TEST_F(KeyExportTest, AHashThatTheTokenDoesNotWrapWithIsNamedWithThoseThatItDoes) {
  const auto wrapping = keys_->ImportWrappingKey();
  Must(wrapping);
  CreateExportable("k", KeyType::kAes256Gcm96);
  const auto refused = ExportTo(*wrapping, "k", HashAlgorithm::kSha256);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "the token does not wrap keys by RSA-OAEP with SHA256, but with SHA1");
}

TEST_F(KeyExportTest, AnExportableKeyStaysSoOverRotationRestartAndRestore) {
  CreateExportable("k", KeyType::kAes256Gcm96);
  Must(keys_->Rotate(mount_, "k", actor_));
  Must(Reopen());
  const auto backup = keys_->Backup(LaneOf(0), mount_, "k");
  Must(backup);
  Must(keys_->Restore(mount_, Name("again"), *backup, false));
  for (const char* const name : {"k", "again"}) {
    const auto key = keys_->Find(LaneOf(0), mount_, name);
    Must(key);
    EXPECT_TRUE((*key)->exportable);
    EXPECT_EQ((*key)->versions.at(2).info.master, "export-aes-v1");
  }
}

TEST_F(KeyExportTest, DerivedAndResidentKeysAreNotExportable) {
  CreateOptions options;
  options.exportable = true;
  options.derived = true;
  EXPECT_EQ(keys_->Create(mount_, Name("k"), options, actor_).error().refusal,
            Refusal::kExportDerived);
  options.derived = false;
  options.type = KeyType::kEd25519;
  EXPECT_EQ(keys_->Create(mount_, Name("k"), options, actor_).error().refusal,
            Refusal::kExportOfTypeImpossible);
}

TEST_F(KeyExportTest, AKeyIsAgreedOnOnlyWhereTheTokenDerivesIt) {
  CreateOptions ec;
  ec.type = KeyType::kEcdsaP256;
  Create("mine", ec);
  Create("theirs", ec);
  const auto mine = keys_->Find(LaneOf(0), mount_, "mine");
  const auto theirs = keys_->Find(LaneOf(0), mount_, "theirs");
  const auto refused =
      keys_->Agree(mount_, Name("shared"), KeyType::kAes256Gcm96, **mine, (*mine)->versions.at(1),
                   *(*theirs)->versions.at(1).public_key, actor_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::kKeyAgreementRefused);
  EXPECT_NE(refused.error().message.find("HKDF"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace coffer::keyring
