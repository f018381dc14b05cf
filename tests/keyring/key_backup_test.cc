// Backups of single keys: what they bring back, where they open, and what a changed one does.

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "keyring/key_backup_codec.h"
#include "keyring/key_ring_fixture.h"
#include "keyring/row_codec.h"

namespace coffer::keyring {
namespace {

class KeyBackupTest : public KeyRingTest {
 protected:
  Bytes Backup(std::string_view name) {
    const auto backup = keys_->Backup(LaneOf(0), mount_, name);
    Must(backup);
    return backup ? *backup : Bytes{};
  }
  KeyRing::Changed Restore(ByteView backup, std::string_view name = "", bool force = false) {
    std::optional<KeyName> wanted;
    if (!name.empty()) wanted = Name(name);
    return keys_->Restore(mount_, wanted, backup, force);
  }
  std::string Refusal(ByteView backup, std::string_view name = "", bool force = false) {
    const auto restored = Restore(backup, name, force);
    if (restored) return "restored";
    EXPECT_EQ(restored.error().code, Code::kInvalid);
    return restored.error().message;
  }
  void Delete(std::string_view name) {
    Must(keys_->Configure(mount_, name, {.deletion_allowed = true}));
    Must(keys_->Delete(mount_, name));
  }
  std::shared_ptr<const Key> Find(std::string_view name) {
    return *keys_->Find(LaneOf(0), mount_, name);
  }
  Bytes Mac(std::string_view name) {
    const auto key = Find(name);
    const auto mac =
        LaneOf(0).Sign(*key, key->versions.at(1), {SignMechanism::Kind::kHmac}, AsBytes("message"));
    Must(mac);
    return mac ? *mac : Bytes{};
  }
};

TEST_F(KeyBackupTest, ADeletedKeyComesBackAndOpensWhatItSealed) {
  Create("k");
  Must(keys_->Rotate(mount_, "k", actor_));
  Must(keys_->Configure(mount_, "k", {.min_decryption_version = 2}));
  const auto old = Encrypt("k", "hello");
  const Bytes mac = Mac("k");
  const Bytes backup = Backup("k");
  Delete("k");
  Must(Restore(backup));
  Must(Reopen());
  EXPECT_EQ(*Decrypt("k", 2, *old), "hello");
  EXPECT_EQ(Mac("k"), mac);
  EXPECT_EQ(Find("k")->settings.min_decryption_version, 2);
}

TEST_F(KeyBackupTest, RestoredVersionsEncryptNoMore) {
  Create("k");
  const Bytes backup = Backup("k");
  Must(Restore(backup, "copy"));
  const auto sealed = Encrypt("copy", "x");
  ASSERT_TRUE(sealed);
  EXPECT_EQ(Find("copy")->latest_version, 2);
  EXPECT_EQ(*Decrypt("copy", 2, *sealed), "x");
  EXPECT_FALSE(Decrypt("k", 1, *sealed)) << "the copy's new version is the copy's alone";
  EXPECT_EQ(Encrypt("copy", "x", "", 1).error().refusal, Refusal::kBelowMinEncryptionVersion);
  // The restored version encrypts no more even if an operator lowers the minimum, and after a
  // restart.
  Must(keys_->Configure(mount_, "copy", {.min_encryption_version = 1}));
  Must(Reopen());
  EXPECT_EQ(Encrypt("copy", "x", "", 1).error().message,
            "key version 1 encrypts no more: it has reached 2^32 encryptions, or was restored and "
            "its count is not known: rotate the key");
  EXPECT_TRUE(Encrypt("k", "x")) << "the original goes on";
  EXPECT_EQ(Find("k")->latest_version, 1);
}

TEST_F(KeyBackupTest, EveryWrappedTypeComesBack) {
  for (const CreateOptions& options :
       std::vector<CreateOptions>{{KeyType::kAes128Gcm96},
                                  {KeyType::kAes256Gcm96, true, true},
                                  {KeyType::kRsa2048},
                                  {KeyType::kEcdsaP521},
                                  {KeyType::kHmac, false, false, 136},
                                  {KeyType::kAes192Cmac}}) {
    const std::string name(KeyTypeName(options.type));
    Create(name, options);
    const auto before = Find(name);
    Must(Restore(Backup(name), "copy-" + name));
    const auto after = Find("copy-" + name);
    EXPECT_NE(after->id, before->id);
    EXPECT_EQ(after->type, before->type);
    EXPECT_EQ(after->derived, before->derived);
    EXPECT_EQ(after->convergent, before->convergent);
    EXPECT_EQ(after->hmac_octets, before->hmac_octets);
    EXPECT_EQ(after->created, before->created);
    EXPECT_EQ(after->versions.at(1).blob, before->versions.at(1).blob);
    EXPECT_EQ(after->versions.at(1).kdf, before->versions.at(1).kdf);
    EXPECT_EQ(after->settings.rotation_required, after->Info().family == Family::kAesGcm) << name;
    EXPECT_EQ(Mac("copy-" + name), Mac(name)) << name;
  }
  const auto key = Find("copy-ecdsa-p521");
  const Bytes digest(64, 7);
  const auto signature =
      LaneOf(1).Sign(*key, key->versions.at(1), {SignMechanism::Kind::kEcdsa}, digest);
  Must(signature);
  EXPECT_TRUE(Find("ecdsa-p521")
                  ->versions.at(1)
                  .public_key->VerifyEcdsa(digest, crypto::EcdsaToDer(*signature)));
}

TEST_F(KeyBackupTest, WhatTheTokenKeepsItselfIsRefused) {
  Create("k", {KeyType::kEd25519});
  EXPECT_EQ(
      keys_->Backup(LaneOf(0), mount_, "k").error().message,
      "version 1 is kept in the token itself, which gives no key out: it cannot be backed up");
}

TEST_F(KeyBackupTest, AnyChangedOctetIsRefusedAndChangesNothing) {
  Create("k");
  const Bytes backup = Backup("k");
  for (std::size_t i = 0; i < backup.size(); ++i) {
    Bytes changed = backup;
    changed[i] ^= 1;
    const std::string text = Refusal(changed, "copy");
    EXPECT_TRUE(text == "the backup is damaged" ||
                text == "the backup was made with another token: its keys open only there")
        << i << ": " << text;
  }
  for (std::size_t size = 0; size < backup.size(); ++size) {
    EXPECT_EQ(Refusal(ByteView(backup).first(size), "copy"), "the backup is damaged") << size;
  }
  Bytes longer = backup;
  longer.push_back(0);
  EXPECT_EQ(Refusal(longer, "copy"), "the backup is damaged");
  EXPECT_EQ(*keys_->List(mount_, "", 0), std::vector<std::string>{"k"});
  Must(Reopen());
}

TEST_F(KeyBackupTest, AnotherTokensBackupIsRefusedAndSaysSo) {
  Create("k");
  Bytes foreign = EncodeKeyBackup(Id::Generate(random_), *Find("k"));
  foreign.resize(foreign.size() + 32);
  EXPECT_EQ(Refusal(foreign, "copy"),
            "the backup was made with another token: its keys open only there");
}

TEST_F(KeyBackupTest, AVersionWhoseMasterIsGoneIsRefused) {
  Create("k");
  Key changed = *Find("k");
  changed.versions.at(1).info.master = "aes-v9";
  Bytes backup = EncodeKeyBackup(keys_->DatabaseId(), changed);
  Must(custodian_->Run([&](Token& token) -> Status {
    COFFER_ASSIGN(const auto mac, token.MetaMac(backup));
    backup.insert(backup.end(), mac.begin(), mac.end());
    return {};
  }));
  EXPECT_EQ(Refusal(backup, "copy"),
            "version 1 of the backup does not open: its master aes-v9 is not in the token");
}

TEST_F(KeyBackupTest, ATokenThatIsAwayIsNotTheBackupsFault) {
  Create("k");
  const Bytes backup = Backup("k");
  token_.MoveAway();
  while (keys_->Ready()) std::this_thread::yield();
  EXPECT_EQ(keys_->Backup(LaneOf(0), mount_, "k").error().code, Code::kTokenLost);
  EXPECT_EQ(Restore(backup, "copy").error().code, Code::kTokenLost);
  token_.MoveBack();
  while (!keys_->Ready()) std::this_thread::yield();
  Must(Restore(backup, "copy"));
}

TEST_F(KeyBackupTest, ARowWithItsMacIsNoBackup) {
  Create("k");
  const auto key = Find("k");
  const KeyVersion& version = key->versions.at(1);
  Bytes row = EncodeVersionRow(key->id, key->Spec(), version);
  row.insert(row.end(), version.mac.begin(), version.mac.end());
  EXPECT_EQ(Refusal(row, "copy"), "the backup is of a form that this release does not know");
}

TEST_F(KeyBackupTest, ANameThatIsTakenNeedsForce) {
  Create("k");
  const auto sealed = Encrypt("k", "hello");
  const Bytes backup = Backup("k");
  const Id before = Find("k")->id;
  EXPECT_EQ(Refusal(backup), "there is a key k already");
  Must(Restore(backup, "", true));
  EXPECT_NE(Find("k")->id, before);
  EXPECT_EQ(*Decrypt("k", 1, *sealed), "hello");
  Must(Reopen());
  EXPECT_EQ(*Decrypt("k", 1, *sealed), "hello");
}

TEST_F(KeyBackupTest, ForceDestroysNoVersionUnlessTheKeyMayBeDeleted) {
  Create("k");
  const Bytes backup = Backup("k");
  Must(keys_->Rotate(mount_, "k", actor_));
  const auto sealed = Encrypt("k", "hello");
  EXPECT_EQ(
      Refusal(backup, "k", true),
      "key has version 2, which the backup has not, and deletion is not allowed for this key");
  EXPECT_EQ(*Decrypt("k", 2, *sealed), "hello");
  Must(keys_->Configure(mount_, "k", {.deletion_allowed = true}));
  Must(Restore(backup, "k", true));
  EXPECT_FALSE(Decrypt("k", 2, *sealed));
  EXPECT_EQ(Find("k")->latest_version, 1);
}

TEST_F(KeyBackupTest, ForceTakesNoOtherKeyForTheSameVersion) {
  Create("k");
  Create("other");
  EXPECT_EQ(
      Refusal(Backup("other"), "k", true),
      "key has version 1, which the backup has not, and deletion is not allowed for this key");
}

TEST_F(KeyBackupTest, ForceMendsAKeyWhoseRowsWereDamaged) {
  Create("k");
  Create("bystander");
  const auto sealed = Encrypt("k", "hello");
  const Bytes backup = Backup("k");
  Tamper(
      "UPDATE key_versions SET blob = randomblob(40) WHERE key = "
      "(SELECT id FROM keys WHERE name = 'k')");
  Must(Reopen());
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "k").error().code, Code::kCorrupt);
  Must(Restore(backup, "", true));
  EXPECT_EQ(*Decrypt("k", 1, *sealed), "hello");
  Must(Reopen());
  Must(Encrypt("bystander", "x"));
}

TEST_F(KeyBackupTest, ABackupHoldsTheWrappedBlobAndNotItsKeysId) {
  Create("k", {KeyType::kHmac});
  const Bytes backup = Backup("k");
  const auto key = Find("k");
  const auto holds = [&](ByteView part) {
    return std::search(backup.begin(), backup.end(), part.begin(), part.end()) != backup.end();
  };
  EXPECT_TRUE(holds(key->versions.at(1).blob));
  EXPECT_FALSE(holds(key->id.View()));
}

TEST(KeyBackupCodecTest, ABackupIsTheseOctets) {
  Key key;
  key.name = "k";
  key.type = KeyType::kAes128Gcm96;
  key.created = FromUnixNanoseconds(1'700'000'000'000'000'000);
  key.settings.auto_rotate_period_seconds = 3600;
  KeyVersion& version = key.versions[1];
  version.info = {1, key.created, "root", "requested", "aes-v1"};
  version.blob = {1, 2, 3};
  version.hmac_master = "hmac-v1";
  version.hmac_blob = {4, 5};
  Id database;
  database.octets.fill(0xaa);
  const std::string zero = "000000080000000000000000";
  const std::string one = "000000080000000000000001";
  EXPECT_EQ(ToHex(EncodeKeyBackup(database, key)),
            "00000013636f666665722d6b65792d6261636b75702d32"  // "coffer-key-backup-2"
            "00000010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"        // database id
            "000000016b" +                                    // "k"
                one +                                         // type
                "0000000817979cfe362a0000" +                  // created
                one +
                zero + zero + zero +          // latest, derived, convergent, exportable
                "000000080000000000000040" +  // HMAC bytes
                one + zero + zero +           // the three minimum versions
                zero + zero + zero +          // deletion allowed, plaintext backup, soft-deleted
                "000000080000000000000e10" +  // automatic rotation
                zero + zero +                 // imported, imported rotation
                one +                         // versions
                one + one + zero +            // version 1, wrapped, no KDF
                "000000066165732d7631"        // "aes-v1"
                "0000000817979cfe362a0000"    // created
                "00000004726f6f74"            // created by
                "00000009726571756573746564"  // reason
                "00000000"                    // public key
                "00000003010203"              // blob
                "00000007686d61632d7631"      // "hmac-v1"
                "000000020405" +              // HMAC blob
                zero +
                "00000000");  // not imported, no certificates
  const auto back = DecodeKeyBackup(EncodeKeyBackup(database, key));
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeKeyBackup(database, *back), EncodeKeyBackup(database, key));
}

TEST(KeyBackupCodecTest, WhatIsNoWholeEncodingIsRefused) {
  Key key;
  key.name = "k";
  KeyVersion& version = key.versions[1];
  version.info.version = 1;
  version.blob = Bytes(40, 7);
  const Bytes whole = EncodeKeyBackup(Id{}, key);
  ASSERT_TRUE(DecodeKeyBackup(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeKeyBackup(ByteView(whole).first(size))) << size;
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(DecodeKeyBackup(longer));
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto decoded = DecodeKeyBackup(flipped);
    if (decoded) {
      EXPECT_TRUE(decoded->versions.contains(decoded->latest_version)) << bit;
    }
  }
  key.latest_version = 2;  // which is not in it
  EXPECT_FALSE(DecodeKeyBackup(EncodeKeyBackup(Id{}, key)));
}

}  // namespace
}  // namespace coffer::keyring
