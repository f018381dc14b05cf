// A database from before storage kept sums of rows: one state row, with one sum over all keys.

#include <gtest/gtest.h>

#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

class FormerDatabaseTest : public KeyRingTest {
 protected:
  // Puts the database into the form that it had, with a state row of this epoch.
  void MakeFormer(std::uint64_t epoch) {
    StateRow state;
    state.database = keys_->DatabaseId();
    state.epoch = epoch;
    Must(store::ForEachDigest(*database_, [&](const store::KeyDigest& digest) {
      AddTo(state.sum, KeyContribution(digest.key, digest.generation, digest.mac));
      ++state.keys;
    }));
    Mac mac{};
    Must(custodian_->Run([&](CustodianTurn& turn) -> Status {
      COFFER_ASSIGN(mac, turn->MetaMac(EncodeStateRow(state)));
      return {};
    }));
    Close();
    Tamper(
        "DROP TABLE store_nodes; DROP TABLE store_sums; DROP TABLE store_anchors;"
        "ALTER TABLE key_counters RENAME TO later_counters;"
        "CREATE TABLE key_counters (\n"
        "  key BLOB NOT NULL REFERENCES keys (id) ON DELETE CASCADE,\n"
        "  version INTEGER NOT NULL,\n"
        "  reserved INTEGER NOT NULL,\n"
        "  PRIMARY KEY (key, version)\n"
        ");"
        "INSERT INTO key_counters SELECT key, version, reserved FROM later_counters;"
        "DROP TABLE later_counters;"
        "ALTER TABLE keys DROP COLUMN resident;"
        "ALTER TABLE keys DROP COLUMN exportable;"
        "ALTER TABLE key_versions DROP COLUMN imported_through;"
        "ALTER TABLE key_versions DROP COLUMN certificate_chain;"
        "DELETE FROM schema_migrations WHERE room = 'storage' OR step > 1;"
        "INSERT INTO keyring_state VALUES (1, x'" +
        ToHex(state.database.View()) + "', " + std::to_string(state.epoch) + ", " +
        std::to_string(state.keys) + ", x'" + ToHex(state.sum) + "', x'" + ToHex(mac) + "')");
  }
  std::uint64_t Epoch() { return *database_->AnchorNumber(); }
  Status Open(const StartPolicy& policy = {}) {
    Close();
    COFFER_TRY(OpenDatabase());
    return OpenKeyRing(policy);
  }
};

TEST_F(FormerDatabaseTest, ItIsTakenOverOnceWithItsKeysAndCounters) {
  Create("orders");
  const Bytes sealed = *Encrypt("orders", "kept");
  const std::uint64_t epoch = Epoch();
  MakeFormer(epoch);
  Must(Open());
  EXPECT_EQ(*Decrypt("orders", 1, sealed), "kept");
  Must(CheckShards());
  EXPECT_EQ(Epoch(), epoch + 1);
  const auto key = *keys_->Find(LaneOf(0), mount_, "orders");
  EXPECT_EQ(key->versions.at(1).counter->reserved.load(), 65'536);
  Must(keys_->Rotate(mount_, "orders", actor_));
  Must(Open());
  Must(CheckShards());
}

TEST_F(FormerDatabaseTest, WhatTheTokenIsAheadOfIsRefused) {
  Create("orders");
  MakeFormer(Epoch() - 1);
  const Status refused = Open();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("older than the token"), std::string::npos)
      << refused.error().message;
}

TEST_F(FormerDatabaseTest, WhatWasChangedInItIsRefused) {
  Create("orders");
  MakeFormer(Epoch());
  Tamper("CREATE TABLE aside.kept AS SELECT * FROM keyring_state");
  for (const char* edit : {"epoch = epoch + 1", "keys = keys + 1", "sum = zeroblob(32)",
                           "mac = zeroblob(32)", "database_id = zeroblob(16)"}) {
    SCOPED_TRACE(edit);
    Tamper(std::string("UPDATE keyring_state SET ") + edit);
    EXPECT_FALSE(Open());
    Close();
    Tamper("DELETE FROM keyring_state; INSERT INTO keyring_state SELECT * FROM aside.kept");
  }
  Must(Open());
}

TEST_F(FormerDatabaseTest, NobodyCanMakeADatabaseAFormerOneAgain) {
  Create("orders");
  MakeFormer(Epoch());
  Tamper("CREATE TABLE aside.kept AS SELECT * FROM keyring_state");
  Must(Open());
  Close();
  Tamper(
      "DELETE FROM store_sums; DELETE FROM store_anchors;"
      "INSERT INTO keyring_state SELECT * FROM aside.kept");
  EXPECT_FALSE(Open());
}

}  // namespace
}  // namespace coffer::keyring
