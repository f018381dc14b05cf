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
  void ExpectRefusedInOneWay(const ImportedMaterial& good) {
    for (const std::size_t at :
         {std::size_t{0}, kWrappedAesKey - 1, kWrappedAesKey, good.wrapped.size() - 1}) {
      ImportedMaterial changed = good;
      changed.wrapped[at] ^= 1;
      const auto refused = keys_->Import(mount_, Name("changed"), {}, false, changed, actor_);
      ASSERT_FALSE(refused) << at;
      EXPECT_EQ(refused.error().refusal, Refusal::kImportNotUnwrapped) << at;
    }
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

// A wrapping key takes seconds to make, so each test does all that it can with one.

TEST_F(ImportTest, ASecretKeyIsTakenWhereItsStoredFormIsTheSameKey) {
  const std::string unproven =
      "failed to import the key: the token does not use it as a key of type";
  for (const std::size_t size : std::initializer_list<std::size_t>{9, 12, 15, 25, 28, 31}) {
    const KeyType type = size < 16 ? KeyType::kAes128Gcm96 : KeyType::kAes256Gcm96;
    EXPECT_EQ(Import(type, size).find(unproven), 0U) << size;
  }
  for (const std::size_t size : std::initializer_list<std::size_t>{8, 17, 24, 33}) {
    EXPECT_NE(Import(KeyType::kAes128Gcm96, size), "ok") << size;
  }
  EXPECT_EQ(Import(KeyType::kAes128Gcm96, 16), "ok");
  EXPECT_EQ(Import(KeyType::kAes256Gcm96, 32), "ok");
  EXPECT_EQ(Import(KeyType::kAes192Cmac, 23).find(unproven), 0U);
  EXPECT_EQ(Import(KeyType::kAes192Cmac, 24), "ok");
  EXPECT_EQ(Import(KeyType::kHmac, 31).find(unproven), 0U) << "the token wants a digest's length";
  for (const std::size_t size : std::initializer_list<std::size_t>{32, 64, 72, 128, 512}) {
    EXPECT_EQ(Import(KeyType::kHmac, size), "ok") << size;
  }
  // HMAC fills keys of up to a block up with zeros itself (RFC 2104), and hashes longer ones.
  EXPECT_EQ(Import(KeyType::kHmac, 33), "ok");
  EXPECT_EQ(Import(KeyType::kHmac, 63), "ok");
  for (const std::size_t size : std::initializer_list<std::size_t>{65, 71, 127, 511}) {
    EXPECT_EQ(Import(KeyType::kHmac, size).find(unproven), 0U) << size;
  }
}

TEST_F(ImportTest, WhatDoesNotOpenIsRefusedInOneWayAndADestroyedWrappingKeyOpensNothing) {
  const auto wrapping = keys_->ImportWrappingKey();
  Must(wrapping);
  EXPECT_EQ(wrapping->through, ImportedThrough::kToken);
  EXPECT_EQ(wrapping->hashes, std::vector{HashAlgorithm::kSha1});
  EXPECT_EQ(Import(KeyType::kAes256Gcm96, 32, HashAlgorithm::kSha256),
            "the token does not wrap keys by RSA-OAEP with SHA256, but with SHA1");
  const auto recorded = Wrapped(32, HashAlgorithm::kSha1);
  Must(recorded);
  ExpectRefusedInOneWay(*recorded);
  Must(keys_->DestroyImportWrappingKey());
  const auto refused = keys_->Import(mount_, Name("recorded"), {}, false, *recorded, actor_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::kImportNotUnwrapped);
  const auto after = keys_->ImportWrappingKey();
  Must(after);
  EXPECT_NE(after->spki, wrapping->spki);
  EXPECT_EQ(Import(KeyType::kAes256Gcm96, 32), "ok");
}

TEST_F(ImportTest, AnImportedKeyIsNotExportable) {
  CreateOptions options;
  options.exportable = true;
  const auto refused = keys_->Import(mount_, Name("k"), options, false, {}, actor_);
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
  const auto material = Wrapped(32, HashAlgorithm::kSha256);
  Must(material);
  ExpectRefusedInOneWay(*material);
  ImportedMaterial other = *material;
  other.hash = HashAlgorithm::kSha512;
  const auto refused = keys_->Import(mount_, Name("other"), {}, false, other, actor_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::kImportNotUnwrapped);
  Must(Reopen());
  const auto key = keys_->Find(LaneOf(0), mount_, "k3");
  Must(key);
  EXPECT_EQ((*key)->versions.at(1).imported_through, ImportedThrough::kProcess);
  const auto sealed = Encrypt("k3", "text");
  Must(sealed);
  EXPECT_EQ(*Decrypt("k3", 1, *sealed), "text");
}

}  // namespace
}  // namespace coffer::keyring
