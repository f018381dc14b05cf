// Tests the start of a restored backup (StartPolicy::restoring), and that keys which it cannot use
// are found.

#include <gtest/gtest.h>

#include <filesystem>

#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

namespace fs = std::filesystem;

class RestoreTest : public KeyRingTest {
 protected:
  fs::path Aside(const char* name) const { return token_.Directory() / name; }

  // A copy of the database as it is now.
  void BackUp() {
    fs::remove(Aside("backup.db"));
    auto reader = database_->Read();
    Must(reader);
    Must(reader->CopyTo(Aside("backup.db"), {}));
  }
  // The backup becomes the database that is open; the former one stands aside.
  Status OpenBackup(const StartPolicy& policy) {
    Close();
    if (!fs::exists(Aside("former.db"))) fs::rename(DatabaseFile(), Aside("former.db"));
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(DatabaseFile().string() + suffix);
    fs::copy_file(Aside("backup.db"), DatabaseFile());
    COFFER_TRY(OpenDatabase());
    return OpenKeyRing(policy);
  }
  static StartPolicy Restoring(std::optional<std::uint64_t> accepted = std::nullopt) {
    StartPolicy policy;
    policy.restoring = true;
    policy.accept_rollback_to = accepted;
    return policy;
  }
  // The epoch that the operator must accept, as a refusal names it.
  static std::uint64_t EpochIn(const Status& refused) {
    const std::string text = TextOf(refused);
    const std::size_t at = text.find("-accept-rollback=");
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + 17));
  }
};

TEST_F(RestoreTest, EveryKeyIsRotatedBeforeItEncryptsAgainAndTheOldVersionsEncryptNoMore) {
  Create("a");
  Create("b");
  const Bytes sealed = *Encrypt("a", "before");
  BackUp();
  Must(OpenBackup(Restoring()));
  for (const char* name : {"a", "b"}) {
    EXPECT_TRUE((*keys_->Find(LaneOf(0), mount_, name))->settings.rotation_required) << name;
  }
  Must(Reopen());
  EXPECT_EQ(*Decrypt("a", 1, sealed), "before");
  Must(Encrypt("a", "after"));
  const auto key = *keys_->Find(LaneOf(0), mount_, "a");
  EXPECT_EQ(key->latest_version, 2);
  EXPECT_EQ(key->settings.min_encryption_version, 2);
  EXPECT_FALSE(Encrypt("a", "by the old version", "", 1));
  EXPECT_TRUE((*keys_->Find(LaneOf(0), mount_, "b"))->settings.rotation_required);
}

// The number of encryptions since the backup is unknown, and an operator may lower the minimum
// version.
TEST_F(RestoreTest, NoLoweredMinimumLetsAnOldVersionEncryptAgain) {
  Create("a");
  Must(Encrypt("a", "by 1"));
  Must(keys_->Rotate(mount_, "a", actor_));
  Create("never-used");
  const Bytes sealed = *Encrypt("a", "by 2");
  BackUp();
  Must(keys_->Rotate(mount_, "a", actor_));
  Must(OpenBackup(Restoring(EpochIn(OpenBackup(Restoring())))));
  Must(Reopen());
  for (const char* const name : {"a", "never-used"}) {
    Must(Encrypt(name, "by the newest"));
    Must(keys_->Configure(mount_, name, {.min_encryption_version = 0}));
    Must(Encrypt(name, "by the newest"));
  }
  const auto expect_refused = [&](const char* name, int version) {
    const auto refused = Encrypt(name, "x", "", version);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInvalid);
    EXPECT_NE(refused.error().message.find("encrypts no more"), std::string::npos)
        << refused.error().message;
  };
  for (int round = 0; round < 2; ++round) {
    expect_refused("a", 1);
    expect_refused("a", 2);
    expect_refused("never-used", 1);
    Must(Reopen());
  }
  EXPECT_EQ(*Decrypt("a", 2, sealed), "by 2");
}

// The counts are as old as the backup, though no key was changed since.
TEST_F(RestoreTest, KeysAreRotatedThoughTheEpochIsTheLatest) {
  Create("a");
  BackUp();
  Must(OpenBackup(Restoring()));
  EXPECT_TRUE((*keys_->Find(LaneOf(0), mount_, "a"))->settings.rotation_required);
}

TEST_F(RestoreTest, UntilItHasItsPlaceTheFormerDatabaseStillStarts) {
  Create("a");
  BackUp();
  Must(keys_->Rotate(mount_, "a", actor_));
  Must(OpenBackup(Restoring(EpochIn(OpenBackup(Restoring())))));
  Close();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(DatabaseFile().string() + suffix);
  fs::rename(Aside("former.db"), DatabaseFile());
  Must(OpenDatabase());
  Must(OpenKeyRing());
  EXPECT_EQ((*keys_->Find(LaneOf(0), mount_, "a"))->latest_version, 2);
}

TEST_F(RestoreTest, OnceItHasStartedTheFormerDatabaseIsOlder) {
  Create("a");
  BackUp();
  Must(OpenBackup(Restoring()));
  Must(Reopen());
  Close();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(DatabaseFile().string() + suffix);
  fs::rename(Aside("former.db"), DatabaseFile());
  Must(OpenDatabase());
  const Status refused = OpenKeyRing();
  ASSERT_FALSE(refused);
  EXPECT_NE(TextOf(refused).find("older than the token"), std::string::npos) << TextOf(refused);
}

TEST_F(RestoreTest, AnOlderBackupIsRefusedWithoutItsEpochAccepted) {
  Create("a");
  BackUp();
  Must(keys_->Rotate(mount_, "a", actor_));
  Must(keys_->Rotate(mount_, "a", actor_));
  const Status refused = OpenBackup(Restoring());
  ASSERT_FALSE(refused);
  EXPECT_NE(TextOf(refused).find("the backup is older than the token"), std::string::npos);
  const std::uint64_t epoch = EpochIn(refused);
  EXPECT_FALSE(OpenBackup(Restoring(epoch + 1)));
  Must(OpenBackup(Restoring(epoch)));
}

TEST_F(RestoreTest, ABackupWithChangedRowsIsRefused) {
  Create("a");
  Tamper("DELETE FROM keys");
  BackUp();
  const Status refused = OpenBackup(Restoring());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
}

TEST_F(RestoreTest, NamesResidentVersionsWhoseObjectIsGone) {
  Create("wrapped");
  Create("resident", {.type = KeyType::kEd25519});
  Must(keys_->Rotate(mount_, "resident", actor_));
  EXPECT_TRUE(keys_->FindUnusable()->empty());
  const auto key = *keys_->Find(LaneOf(0), mount_, "resident");
  const Bytes locator = key->versions.at(1).locator;
  Must(custodian_->Run([&](Token& token) { return token.DestroyResident(locator); }));
  const auto lost = keys_->FindUnusable();
  Must(lost);
  ASSERT_EQ(lost->size(), 1U);
  EXPECT_EQ(lost->front().key, "resident");
  EXPECT_EQ(lost->front().version, 1);
  EXPECT_EQ(lost->front().why, "its object is not in the token");
}

TEST_F(RestoreTest, NamesKeysWhoseRowsFailTheirCheck) {
  Create("good");
  Create("changed");
  Tamper("UPDATE keys SET deletion_allowed = 1 WHERE name = 'changed'");
  const auto lost = keys_->FindUnusable();
  Must(lost);
  ASSERT_EQ(lost->size(), 1U);
  EXPECT_EQ(lost->front().key, "changed");
  EXPECT_EQ(lost->front().version, 0);
}

}  // namespace
}  // namespace coffer::keyring
