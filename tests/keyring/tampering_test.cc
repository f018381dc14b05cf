// Changes that an attacker with the database, or with an older copy of it, can make: each is found
// out.

#include <gtest/gtest.h>

#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

using std::filesystem::copy_options;

class TamperingTest : public KeyRingTest {
 protected:
  // A whole copy of the database as it is now, taken while closed.
  void Save(const std::string& name) {
    Close();
    std::filesystem::copy_file(DatabaseFile(), token_.Directory() / name,
                               copy_options::overwrite_existing);
    Must(OpenDatabase());
    Must(OpenKeyRing());
  }
  void PutBack(const std::string& name) {
    Close();
    for (const char* suffix : {"-wal", "-shm"}) {
      std::filesystem::remove(DatabaseFile().string() + suffix);
    }
    std::filesystem::copy_file(token_.Directory() / name, DatabaseFile(),
                               copy_options::overwrite_existing);
    Must(OpenDatabase());
  }
};

TEST_F(TamperingTest, EveryColumnOfAKeyIsGuardedAndOnlyThatKeyIsDisabled) {
  for (const char* assignment :
       {"min_decryption_version = 0", "min_encryption_version = 1", "min_available_version = 1",
        "deletion_allowed = 1", "allow_plaintext_backup = 1", "soft_deleted = 1",
        "rotation_required = 1", "auto_rotate_period = 7200", "created = created + 1", "type = 1",
        "latest_version = 7", "exportable = 1"}) {
    const std::string name = "victim-" + std::to_string(std::hash<std::string>{}(assignment));
    Create(name);
    Create("bystander");
    Tamper(std::string("UPDATE keys SET ") + assignment + " WHERE name = '" + name + "'");
    Must(Reopen());
    const auto found = keys_->Find(LaneOf(0), mount_, name);
    ASSERT_FALSE(found) << assignment;
    EXPECT_EQ(found.error().code, Code::kCorrupt) << assignment;
    Must(Encrypt("bystander", "x"));
    EXPECT_FALSE(keys_->Rotate(mount_, name, actor_)) << assignment;
  }
}

TEST_F(TamperingTest, EveryColumnOfAVersionIsGuarded) {
  for (const char* assignment :
       {"blob = randomblob(40)", "hmac_blob = randomblob(40)", "master = 'import-aes-v1'",
        "hmac_master = 'import-hmac-v1'", "created = created + 1", "created_by = 'mallory'",
        "reason = 'none'", "version = 2", "imported_through = 1", "certificate_chain = 'pem'"}) {
    const std::string name = "victim-" + std::to_string(std::hash<std::string>{}(assignment));
    Create(name);
    Tamper(std::string("UPDATE key_versions SET ") + assignment +
           " WHERE key = (SELECT id FROM keys WHERE name = '" + name + "')");
    Must(Reopen());
    const auto found = keys_->Find(LaneOf(0), mount_, name);
    ASSERT_FALSE(found) << assignment;
    EXPECT_EQ(found.error().code, Code::kCorrupt) << assignment;
  }
}

TEST_F(TamperingTest, SwappedBlobsOfTwoKeysDisableBoth) {
  Create("a");
  Create("b");
  Tamper(
      "CREATE TABLE aside.kept AS SELECT key, blob FROM key_versions;"
      "UPDATE key_versions SET blob ="
      " (SELECT kept.blob FROM kept WHERE kept.key <> key_versions.key)");
  Must(Reopen());
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "a").error().code, Code::kCorrupt);
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "b").error().code, Code::kCorrupt);
}

TEST_F(TamperingTest, ARemovedVersionDisablesItsKey) {
  Create("a");
  Must(keys_->Rotate(mount_, "a", actor_));
  Tamper("DELETE FROM key_versions WHERE version = 1");
  Must(Reopen());
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "a").error().code, Code::kCorrupt);
}

TEST_F(TamperingTest, ARenamedOrMovedKeyIsDisabled) {
  Create("a");
  Tamper("UPDATE keys SET name = 'b'");
  Must(Reopen());
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "b").error().code, Code::kCorrupt);
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "a").error().code, Code::kNotFound);
}

TEST_F(TamperingTest, ARemovedKeyIsFoundByTheCheckAndEndsOnlyByTheOperatorsWord) {
  Create("a");
  Create("b");
  Tamper("DELETE FROM keys WHERE name = 'a'");
  Must(Reopen());
  const Status found = CheckShards();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kCorrupt);
  EXPECT_NE(found.error().message.find("-accept-damaged-rows"), std::string::npos);
  Must(Reopen({.accept_rollback_to = {}, .accept_damaged_rows = true}));
  ASSERT_EQ(keys_->Consequences().size(), 2U);
  EXPECT_NE(keys_->Consequences()[0].find("the rows of keys/"), std::string::npos);
  Must(Encrypt("b", "x"));
  Must(CheckShards());
  Must(Reopen());
  EXPECT_TRUE(keys_->Consequences().empty());
}

TEST_F(TamperingTest, AReplayedKeyRowIsFoundByTheCheck) {
  Create("a");
  Tamper("CREATE TABLE aside.replay AS SELECT * FROM keys");
  Must(keys_->Configure(mount_, "a", {.deletion_allowed = true}));
  Tamper(
      "UPDATE keys SET (generation, deletion_allowed, mac) ="
      " (SELECT generation, deletion_allowed, mac FROM replay)");
  Must(Reopen());
  const Status found = CheckShards();
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("put back"), std::string::npos) << found.error().message;
}

TEST_F(TamperingTest, AKeyRowReplayedBesideTheRunningServerIsFoundWhenItIsLoaded) {
  limits_.key_bytes = 1;  // nothing stays loaded but the last key
  Must(Reopen());
  Create("a");
  Create("b");
  Tamper("CREATE TABLE aside.replay AS SELECT * FROM keys");
  Must(keys_->Configure(mount_, "a", {.deletion_allowed = true}));
  Must(keys_->Find(LaneOf(0), mount_, "b"));
  Tamper(
      "UPDATE keys SET (generation, deletion_allowed, mac) ="
      " (SELECT generation, deletion_allowed, mac FROM replay WHERE replay.id = keys.id)");
  const auto found = keys_->Find(LaneOf(0), mount_, "a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kCorrupt);
  EXPECT_NE(found.error().message.find("put back to an earlier state"), std::string::npos);
}

TEST_F(TamperingTest, ACounterCannotBeEdited) {
  Create("a");
  Must(Encrypt("a", "x"));
  Tamper("UPDATE key_counters SET reserved = 0");
  Must(Reopen());
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "a").error().code, Code::kCorrupt);
}

TEST_F(TamperingTest, AChangedAnchorIsFoundAtStart) {
  Create("a");
  Tamper("CREATE TABLE aside.kept AS SELECT * FROM store_anchors");
  for (const char* edit :
       {"UPDATE store_anchors SET number = number + 1", "UPDATE store_anchors SET generations = ''",
        "UPDATE store_anchors SET mac = zeroblob(32)", "DELETE FROM store_anchors",
        "DELETE FROM store_anchors; DELETE FROM store_sums"}) {
    SCOPED_TRACE(edit);
    Tamper(edit);
    for (const bool accept : {false, true}) {
      const Status refused = Reopen({.accept_rollback_to = {}, .accept_damaged_rows = accept});
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, Code::kCorrupt);
    }
    Tamper("DELETE FROM aside.kept WHERE 0; REPLACE INTO store_anchors SELECT * FROM aside.kept");
  }
}

TEST_F(TamperingTest, AKeyThatFailsItsCheckDuringAnAcceptedRollbackNeverComesBack) {
  Create("a");
  Must(Encrypt("a", "x"));
  Save("old.db");
  Must(keys_->Rotate(mount_, "a", actor_));
  PutBack("old.db");
  Tamper("UPDATE keys SET deletion_allowed = 1");
  const Status refused = OpenKeyRing();
  ASSERT_FALSE(refused);
  const std::string& text = refused.error().message;
  const std::uint64_t epoch = std::stoull(text.substr(text.find("-accept-rollback=") + 17));
  Must(OpenKeyRing({.accept_rollback_to = epoch, .accept_damaged_rows = false}));
  Tamper("UPDATE keys SET deletion_allowed = 0");  // the row as it was
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "a").error().code, Code::kCorrupt);
  Must(CheckShards());
}

TEST_F(TamperingTest, AnOlderDatabaseIsRefusedAndForcesRotationWhenAccepted) {
  Create("a");
  Save("old.db");
  const Bytes lost = *Encrypt("a", "before");
  Must(keys_->Rotate(mount_, "a", actor_));
  PutBack("old.db");
  const Status refused = OpenKeyRing();
  ASSERT_FALSE(refused);
  const std::string& text = refused.error().message;
  const std::size_t at = text.find("-accept-rollback=");
  ASSERT_NE(at, std::string::npos) << text;
  const std::uint64_t epoch = std::stoull(text.substr(at + 17));
  ASSERT_FALSE(OpenKeyRing({.accept_rollback_to = epoch + 1, .accept_damaged_rows = false}));
  Must(OpenKeyRing({.accept_rollback_to = epoch, .accept_damaged_rows = false}));
  EXPECT_TRUE((*keys_->Find(LaneOf(0), mount_, "a"))->settings.rotation_required);
  Must(Encrypt("a", "after"));
  const auto key = *keys_->Find(LaneOf(0), mount_, "a");
  EXPECT_EQ(key->latest_version, 2);
  EXPECT_FALSE(key->settings.rotation_required);
  EXPECT_EQ(*Decrypt("a", 1, lost), "before");
  Must(Reopen());
}

TEST_F(TamperingTest, EveryCopyTakenBeforeAStartIsOlder) {
  Create("a");
  Save("old.db");  // closes and starts again: one more epoch
  PutBack("old.db");
  EXPECT_FALSE(OpenKeyRing());
}

TEST_F(TamperingTest, ADatabaseOfAnotherTokenIsRefused) {
  Create("a");
  Close();
  const fakes::SoftHsmToken other("coffer-test");
  location_.copies_directory = other.Directory();
  location_.objects_directory = other.TokenDirectory();
  Must(CompleteToken(location_, other.UserPin(), Id::Generate(random_), logger_));
  Must(OpenDatabase());
  auto opened = OpenTokens(location_, other.UserPin(), 1, logger_);
  Must(opened);
  Custodian custodian(std::move(opened->custodian), {}, clock_, logger_);
  const auto refused = KeyRing::Open(*database_, custodian, std::move(opened->workers), {}, random_,
                                     clock_, logger_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_NE(refused.error().message.find("another token"), std::string::npos);
}

}  // namespace
}  // namespace coffer::keyring
