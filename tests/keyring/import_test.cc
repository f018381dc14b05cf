// Keys from elsewhere, in both ways of opening them: what is imported is the client's key and no
// other, and what a client wrapped wrongly is refused.

#include <gtest/gtest.h>

#include <string>

#include "coffer/crypto/key_transport.h"
#include "coffer/crypto/public_key.h"
#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

using crypto::HashAlgorithm;

constexpr std::size_t kWrappedAesKey = 512;  // of RSA-4096

class ImportTest : public KeyRingTest {
 protected:
  // The import of `size` bytes as a client makes it.
  Result<ImportedMaterial> Wrapped(std::size_t size, HashAlgorithm hash) {
    COFFER_ASSIGN(const ImportWrapping wrapping, keys_->ImportWrappingKey());
    COFFER_ASSIGN(const auto key, crypto::PublicKey::FromSpki(wrapping.spki));
    SecretBytes value(size);
    random_.Fill(value.RevealMutable());
    ImportedMaterial material;
    material.hash = hash;
    COFFER_ASSIGN(material.wrapped, crypto::WrapForImport(*key, hash, value, random_));
    return material;
  }
  std::string Import(KeyType type, std::size_t size, HashAlgorithm hash = HashAlgorithm::kSha1) {
    const auto material = Wrapped(size, hash);
    if (!material) return material.error().message;
    CreateOptions options;
    options.type = type;
    const std::string name = "k" + std::to_string(++imports_);
    const auto imported = keys_->Import(mount_, Name(name), options, true, *material, actor_);
    return imported ? "ok" : imported.error().message;
  }
  int imports_ = 0;
};

class ImportInProcessTest : public ImportTest {
 protected:
  void SetUp() override {
    location_.import_oaep = ImportedThrough::kProcess;
    ImportTest::SetUp();
  }
};

TEST_F(ImportTest, AnAesKeyHasItsTypesLengthAndNoOther) {
  for (const std::size_t size : {9, 12, 15, 25, 28, 31}) {
    const KeyType type = size < 16 ? KeyType::kAes128Gcm96 : KeyType::kAes256Gcm96;
    EXPECT_EQ(Import(type, size).find("failed to import the key: the token does not use it"), 0U)
        << size;
  }
  for (const std::size_t size : {8, 17, 24, 33}) {
    EXPECT_NE(Import(KeyType::kAes128Gcm96, size), "ok") << size;
  }
  EXPECT_EQ(Import(KeyType::kAes128Gcm96, 16), "ok");
  EXPECT_EQ(Import(KeyType::kAes256Gcm96, 32), "ok");
  EXPECT_NE(Import(KeyType::kAes192Cmac, 23), "ok");
  EXPECT_EQ(Import(KeyType::kAes192Cmac, 24), "ok");
}

TEST_F(ImportTest, AnHmacKeyIsTakenWhereItsStoredFormMakesTheSameCodes) {
  EXPECT_NE(Import(KeyType::kHmac, 31), "ok") << "the token wants as many bytes as the hash has";
  for (const std::size_t size : {32, 64, 72, 128, 512}) {
    EXPECT_EQ(Import(KeyType::kHmac, size), "ok") << size;
  }
  // HMAC pads keys of up to a block with zeros itself (RFC 2104), and hashes longer ones.
  EXPECT_EQ(Import(KeyType::kHmac, 33), "ok");
  EXPECT_EQ(Import(KeyType::kHmac, 63), "ok");
  for (const std::size_t size : {65, 71, 127, 511}) {
    EXPECT_EQ(Import(KeyType::kHmac, size).find("failed to import the key: the token does not"), 0U)
        << size;
  }
}

TEST_F(ImportTest, AHashThatTheTokenDoesNotUnwrapWithIsNamedWithThoseThatItDoes) {
  const auto wrapping = keys_->ImportWrappingKey();
  Must(wrapping);
  EXPECT_EQ(wrapping->through, ImportedThrough::kToken);
  EXPECT_EQ(wrapping->hashes, std::vector{HashAlgorithm::kSha1});
  EXPECT_EQ(Import(KeyType::kAes256Gcm96, 32, HashAlgorithm::kSha256),
            "the token does not wrap keys by RSA-OAEP with SHA256, but with SHA1");
}

TEST_F(ImportTest, WhatWasWrappedForADestroyedKeyIsNeverOpenedAgain) {
  const auto recorded = Wrapped(32, HashAlgorithm::kSha1);
  Must(recorded);
  const auto before = keys_->ImportWrappingKey();
  Must(before);
  Must(keys_->DestroyImportWrappingKey());
  const auto refused = keys_->Import(mount_, Name("recorded"), {}, false, *recorded, actor_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::kImportNotUnwrapped);
  const auto after = keys_->ImportWrappingKey();
  Must(after);
  EXPECT_NE(after->spki, before->spki);
  EXPECT_EQ(Import(KeyType::kAes256Gcm96, 32), "ok");
}

TEST_F(ImportTest, AChangedImportIsRefusedInOneWay) {
  const auto material = Wrapped(32, HashAlgorithm::kSha1);
  Must(material);
  for (const std::size_t at :
       {std::size_t{0}, kWrappedAesKey - 1, kWrappedAesKey, material->wrapped.size() - 1}) {
    ImportedMaterial changed = *material;
    changed.wrapped[at] ^= 1;
    const auto refused = keys_->Import(mount_, Name("changed"), {}, false, changed, actor_);
    ASSERT_FALSE(refused) << at;
    EXPECT_EQ(refused.error().refusal, Refusal::kImportNotUnwrapped) << at;
  }
}

TEST_F(ImportTest, AnImportedKeyIsNotExportable) {
  const auto material = Wrapped(32, HashAlgorithm::kSha1);
  Must(material);
  CreateOptions options;
  options.exportable = true;
  const auto refused = keys_->Import(mount_, Name("k"), options, false, *material, actor_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::kImportExportable);
}

TEST_F(ImportInProcessTest, EveryHashIsTakenAndTheVersionSaysHowItCame) {
  for (const HashAlgorithm hash :
       {HashAlgorithm::kSha1, HashAlgorithm::kSha224, HashAlgorithm::kSha256,
        HashAlgorithm::kSha384, HashAlgorithm::kSha512}) {
    EXPECT_EQ(Import(KeyType::kAes256Gcm96, 32, hash), "ok");
  }
  EXPECT_NE(Import(KeyType::kAes128Gcm96, 9, HashAlgorithm::kSha256), "ok");
  const auto wrapping = keys_->ImportWrappingKey();
  Must(wrapping);
  EXPECT_EQ(wrapping->through, ImportedThrough::kProcess);
  EXPECT_EQ(wrapping->hashes.size(), 5U);
  Must(Reopen());
  const auto key = keys_->Find(0, mount_, "k3");
  Must(key);
  EXPECT_EQ((*key)->versions.at(1).imported_through, ImportedThrough::kProcess);
  const auto sealed = Encrypt("k3", "text");
  Must(sealed);
  EXPECT_EQ(*Decrypt("k3", 1, *sealed), "text");
}

TEST_F(ImportInProcessTest, AChangedImportIsRefusedInOneWay) {
  const auto material = Wrapped(32, HashAlgorithm::kSha256);
  Must(material);
  for (const std::size_t at : {std::size_t{0}, kWrappedAesKey - 1, kWrappedAesKey}) {
    ImportedMaterial changed = *material;
    changed.wrapped[at] ^= 1;
    const auto refused = keys_->Import(mount_, Name("changed"), {}, false, changed, actor_);
    ASSERT_FALSE(refused) << at;
    EXPECT_EQ(refused.error().refusal, Refusal::kImportNotUnwrapped) << at;
  }
  ImportedMaterial other = *material;
  other.hash = HashAlgorithm::kSha512;
  const auto refused = keys_->Import(mount_, Name("other"), {}, false, other, actor_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::kImportNotUnwrapped);
}

}  // namespace
}  // namespace coffer::keyring
