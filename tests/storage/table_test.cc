// Rows of authenticated tables, and somebody who edits the file.

#include "coffer/storage/table.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "fakes/row_codes.h"
#include "fakes/temporary_directory.h"

namespace coffer::storage {
namespace {

struct RoleRow {
  static constexpr TableName kTable{.name = "roles"};
  std::string name;
  std::vector<std::string> policies;
  bool orphan = false;
  std::int64_t uses = 0;
  Bytes secret;
  SystemTime made{};
  template <typename Self, typename Visitor>
  static void Columns(Self& row, Visitor& column) {
    column.Key("name", row.name);
    column("policies", row.policies);
    column("orphan", row.orphan);
    column("uses", row.uses);
    column("secret", row.secret);
    column("made", row.made);
  }
};

struct TicketRow {
  static constexpr TableName kTable{.name = "tickets", .shards = 4};
  std::array<std::uint8_t, 2> hash{};
  std::string owner;
  template <typename Self, typename Visitor>
  static void Columns(Self& row, Visitor& column) {
    column.Key("hash", row.hash);
    column("owner", row.owner);
  }
};

using Roles = Table<RoleRow>;
using Tickets = Table<TicketRow>;

const std::vector<Migration>& TheSchema() {
  static const std::vector<Migration> schema{
      {"test", 1,
       "CREATE TABLE roles (name TEXT NOT NULL PRIMARY KEY, policies TEXT NOT NULL, "
       "orphan INTEGER NOT NULL, uses INTEGER NOT NULL, secret BLOB NOT NULL, "
       "made INTEGER NOT NULL, generation INTEGER NOT NULL, mac BLOB NOT NULL) STRICT;"
       "CREATE TABLE tickets (hash BLOB NOT NULL PRIMARY KEY, owner TEXT NOT NULL, "
       "generation INTEGER NOT NULL, mac BLOB NOT NULL) STRICT, WITHOUT ROWID;",
       [] {
         return std::vector<const TableShape*>{&Roles::Shape(), &Tickets::Shape()};
       }}};
  return schema;
}

class TableTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }

  Status TryOpen(bool accept_damaged_rows = false) {
    database_.reset();
    COFFER_ASSIGN(database_, Database::Open({.file = File()}, TheSchema(), logger_));
    return fakes::Authenticate(*database_, accept_damaged_rows);
  }
  void Open(bool accept_damaged_rows = false) {
    const Status opened = TryOpen(accept_damaged_rows);
    ASSERT_TRUE(opened) << opened.error().message << " " << opened.error().cause;
  }
  std::filesystem::path File() const { return directory_.Path() / "coffer.db"; }

  template <typename Write>
  Status Change(const Write& write, bool anchor = false) {
    COFFER_ASSIGN(Transaction transaction, database_->Begin());
    COFFER_TRY(write(transaction));
    if (anchor) transaction.Anchor();
    return transaction.Commit();
  }
  Status PutRole(const RoleRow& role) {
    return Change([&](Transaction& transaction) { return Roles::Put(transaction, role); });
  }
  Status PutTicket(std::uint8_t first, const std::string& owner = "anna") {
    return Change([&](Transaction& transaction) {
      return Tickets::Put(transaction, {.hash = {first, 1}, .owner = owner});
    });
  }
  Result<std::optional<Roles::Stored>> Role(const std::string& name) {
    COFFER_ASSIGN(Reader reader, database_->Read());
    return Roles::Find(reader, name);
  }
  Result<std::optional<Tickets::Stored>> Ticket(std::uint8_t first) {
    COFFER_ASSIGN(Reader reader, database_->Read());
    return Tickets::Find(reader, std::array<std::uint8_t, 2>{first, 1});
  }

  // Edits the file as somebody with another program would.
  void Edit(const std::string& sql) const {
    ::sqlite3* other = nullptr;
    ASSERT_EQ(::sqlite3_open(File().c_str(), &other), SQLITE_OK);
    ::sqlite3_busy_timeout(other, 5000);
    char* why = nullptr;
    ASSERT_EQ(::sqlite3_exec(other, sql.c_str(), nullptr, nullptr, &why), SQLITE_OK) << why;
    ::sqlite3_close(other);
  }

  const fakes::TemporaryDirectory directory_;
  NullLogger logger_;
  std::unique_ptr<Database> database_;
  const RoleRow role_{.name = "web",
                      .policies = {"read, all", "", "a:b"},
                      .orphan = true,
                      .uses = -7,
                      .secret = {0, 255},
                      .made = FromUnixNanoseconds(1'234'567'890)};
};

void ExpectCorrupt(const Status& status, const std::string& part) {
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kCorrupt) << status.error().message;
  EXPECT_NE(status.error().message.find(part), std::string::npos) << status.error().message;
}

template <typename T>
Status StatusOf(const Result<T>& result) {
  return result ? Status{} : Status(Fail(result.error()));
}

TEST_F(TableTest, ARowComesBackAsItWasWritten) {
  ASSERT_TRUE(PutRole(role_));
  Open();
  const auto found = Role("web");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->row.policies, role_.policies);
  EXPECT_EQ((*found)->row.orphan, true);
  EXPECT_EQ((*found)->row.uses, -7);
  EXPECT_EQ((*found)->row.secret, role_.secret);
  EXPECT_EQ((*found)->row.made, role_.made);
}

TEST_F(TableTest, RowsAreFoundByAColumnAndAfterAKey) {
  for (const std::uint8_t first : Bytes{200, 3, 70}) ASSERT_TRUE(PutTicket(first));
  ASSERT_TRUE(PutTicket(130, "bert"));
  auto reader = database_->Read();
  ASSERT_TRUE(reader);
  const auto hers = Tickets::By(*reader, "owner", std::string("anna"));
  ASSERT_TRUE(hers);
  EXPECT_EQ(hers->size(), 3U);
  const auto behind = Tickets::After(*reader, 2, std::array<std::uint8_t, 2>{3, 1});
  ASSERT_TRUE(behind && behind->size() == 2);
  EXPECT_EQ(behind->front().row.hash[0], 70);
  EXPECT_EQ(behind->back().row.owner, "bert");
}

TEST_F(TableTest, AChangeOfARowThatChangedMeanwhileIsAConflict) {
  ASSERT_TRUE(PutRole(role_));
  auto read = Role("web");
  ASSERT_TRUE(read && *read);
  auto stale = **read;
  const auto update = [&](Transaction& transaction) { return Roles::Update(transaction, stale); };
  stale.row.uses = 1;
  ASSERT_TRUE(Change(update));
  const Status again = Change(update);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kConflict);
  EXPECT_EQ((*Role("web"))->row.uses, 1);
}

TEST_F(TableTest, NoColumnOfARowCanBeEdited) {
  for (const char* const edit :
       {"policies = '4:root,'", "orphan = 0", "uses = 9", "secret = x'00'", "made = 1",
        "generation = generation + 1", "mac = zeroblob(32)", "mac = x''", "name = 'api'"}) {
    ASSERT_TRUE(PutRole(role_));
    Edit(std::string("UPDATE roles SET ") + edit);
    for (const std::string name : {"web", "api"}) {
      const auto found = Role(name);
      if (found) {
        EXPECT_FALSE(*found) << edit;
      } else {
        ExpectCorrupt(StatusOf(found), "a row of roles failed its check");
      }
    }
    Edit("DELETE FROM roles");
    const bool told = !database_->CheckShard({"roles", 0});
    EXPECT_TRUE(told) << edit;
    database_.reset();
    std::filesystem::remove(File());
    Open();
  }
}

TEST_F(TableTest, ValuesOfTwoRowsCannotBeSwapped) {
  ASSERT_TRUE(PutTicket(1, "anna"));
  ASSERT_TRUE(PutTicket(2, "bert"));
  Edit("UPDATE tickets SET owner = CASE owner WHEN 'anna' THEN 'bert' ELSE 'anna' END");
  ExpectCorrupt(StatusOf(Ticket(1)), "failed its check");
}

TEST_F(TableTest, ARemovedRowIsFoundInItsShardAlone) {
  ASSERT_TRUE(PutTicket(1));
  ASSERT_TRUE(PutTicket(255));
  Edit("DELETE FROM tickets WHERE hash < x'10'");
  ExpectCorrupt(database_->CheckShard({"tickets", 0}), "tickets/0");
  EXPECT_TRUE(database_->CheckShard({"tickets", 3}));
  EXPECT_TRUE(database_->CheckShard({"roles", 0}));
  ASSERT_EQ(database_->DamagedShards().size(), 1U);
  ExpectCorrupt(PutTicket(2), "changes to tickets/0 are refused");
  EXPECT_TRUE(PutTicket(254));
}

TEST_F(TableTest, ARowPutBackAfterItsRemovalIsFoundByTheCheck) {
  ASSERT_TRUE(PutTicket(1));
  Edit(
      "CREATE TEMP TABLE former AS SELECT * FROM tickets; "
      "ATTACH '" +
      (directory_.Path() / "aside.db").string() +
      "' AS aside; "
      "CREATE TABLE aside.former AS SELECT * FROM tickets");
  ASSERT_TRUE(Change([&](Transaction& transaction) -> Status {
    return StatusOf(Tickets::Remove(transaction, std::array<std::uint8_t, 2>{1, 1}));
  }));
  Edit("ATTACH '" + (directory_.Path() / "aside.db").string() +
       "' AS aside; "
       "INSERT INTO tickets SELECT * FROM aside.former");
  // This process removed it, so that the row alone tells.
  ExpectCorrupt(StatusOf(Ticket(1)), "put back to an earlier state");
  ExpectCorrupt(database_->CheckShard({"tickets", 0}), "tickets/0");
  // Another process has the sum.
  Open();
  EXPECT_TRUE(Ticket(1));
  ExpectCorrupt(database_->CheckShard({"tickets", 0}), "tickets/0");
}

TEST_F(TableTest, AnOlderStateOfARowIsFoundWhenItIsRead) {
  ASSERT_TRUE(PutTicket(1, "anna"));
  Edit("ATTACH '" + (directory_.Path() / "aside.db").string() +
       "' AS aside; "
       "CREATE TABLE aside.former AS SELECT * FROM tickets");
  ASSERT_TRUE(PutTicket(1, "bert"));
  Edit("ATTACH '" + (directory_.Path() / "aside.db").string() +
       "' AS aside; "
       "DELETE FROM tickets; INSERT INTO tickets SELECT * FROM aside.former");
  ExpectCorrupt(StatusOf(Ticket(1)), "put back to an earlier state");
}

TEST_F(TableTest, ASnapshotFromBeforeAChangeIsNoReplay) {
  ASSERT_TRUE(PutTicket(1, "anna"));
  auto before = database_->Read();
  ASSERT_TRUE(before);
  ASSERT_TRUE(Tickets::Find(*before, std::array<std::uint8_t, 2>{9, 9}));  // takes the snapshot
  ASSERT_TRUE(PutTicket(1, "bert"));
  const auto old = Tickets::Find(*before, std::array<std::uint8_t, 2>{1, 1});
  ASSERT_TRUE(old && *old);
  EXPECT_EQ((*old)->row.owner, "anna");
}

TEST_F(TableTest, AStartFindsWhatWasDoneToATableOfOneShard) {
  ASSERT_TRUE(PutRole(role_));
  database_.reset();
  Edit("DELETE FROM roles");
  ExpectCorrupt(TryOpen(), "roles/0");
}

TEST_F(TableTest, AShardFromBeforeTheLastAnchorIsRefused) {
  ASSERT_TRUE(PutTicket(1, "anna"));
  Edit("ATTACH '" + (directory_.Path() / "aside.db").string() +
       "' AS aside; "
       "CREATE TABLE aside.former AS SELECT * FROM tickets; "
       "CREATE TABLE aside.sums AS SELECT * FROM store_sums");
  ASSERT_TRUE(Change(
      [](Transaction& transaction) {
        return Tickets::Put(transaction, {.hash = {1, 1}, .owner = "bert"});
      },
      true));
  database_.reset();
  Edit("ATTACH '" + (directory_.Path() / "aside.db").string() +
       "' AS aside; "
       "DELETE FROM tickets; INSERT INTO tickets SELECT * FROM aside.former; "
       "DELETE FROM store_sums; INSERT INTO store_sums SELECT * FROM aside.sums");
  ExpectCorrupt(TryOpen(), "tickets/0 were put back to an earlier state");
}

TEST_F(TableTest, AShardChangedBeneathTheServerTakesNoChanges) {
  ASSERT_TRUE(PutTicket(1, "anna"));
  Edit("ATTACH '" + (directory_.Path() / "aside.db").string() +
       "' AS aside; "
       "CREATE TABLE aside.former AS SELECT * FROM tickets; "
       "CREATE TABLE aside.sums AS SELECT * FROM store_sums");
  ASSERT_TRUE(PutTicket(2, "bert"));
  Edit("ATTACH '" + (directory_.Path() / "aside.db").string() +
       "' AS aside; "
       "DELETE FROM tickets; INSERT INTO tickets SELECT * FROM aside.former; "
       "DELETE FROM store_sums; INSERT INTO store_sums SELECT * FROM aside.sums");
  ExpectCorrupt(PutTicket(3), "changed beneath the server");
  ExpectCorrupt(database_->CheckShard({"tickets", 0}), "earlier state");
}

TEST_F(TableTest, SumsAndAnchorsCannotBeEdited) {
  for (const char* const edit :
       {"UPDATE store_sums SET row_count = row_count + 1",
        "UPDATE store_sums SET sum = zeroblob(32)",
        "UPDATE store_sums SET generation = generation + 1", "UPDATE store_sums SET salt = x''",
        "DELETE FROM store_sums", "UPDATE store_anchors SET number = number + 1",
        "UPDATE store_anchors SET lineage = zeroblob(16)",
        "UPDATE store_anchors SET generations = ''"}) {
    database_.reset();
    std::filesystem::remove(File());
    Open();
    ASSERT_TRUE(PutRole(role_));
    database_.reset();
    Edit(edit);
    const Status opened = TryOpen();
    ASSERT_FALSE(opened) << edit;
    EXPECT_EQ(opened.error().code, Code::kCorrupt) << edit;
  }
}

TEST_F(TableTest, TheStoredSumTellsNothingOfTheRows) {
  const auto sum = [this] {
    auto reader = database_->Read();
    auto select =
        reader->Prepare("SELECT sum FROM store_sums WHERE table_name = 'tickets' AND shard = 0");
    EXPECT_TRUE(select->Step());
    return select->Blob(0);
  };
  const Bytes before = sum();
  ASSERT_TRUE(PutTicket(1));
  ASSERT_TRUE(Change([&](Transaction& transaction) -> Status {
    return StatusOf(Tickets::Remove(transaction, std::array<std::uint8_t, 2>{1, 1}));
  }));
  EXPECT_NE(sum(), before);  // although the rows are the same
  EXPECT_TRUE(database_->CheckShard({"tickets", 0}));
}

TEST_F(TableTest, AcceptedDamageIsListedAndGoneAfterwards) {
  ASSERT_TRUE(PutRole(role_));
  ASSERT_TRUE(PutTicket(1));
  ASSERT_TRUE(PutTicket(255));
  const Id lineage = database_->Lineage();
  database_.reset();
  Edit("UPDATE roles SET uses = 9; DELETE FROM tickets WHERE hash < x'10'");
  Open();
  ExpectCorrupt(StatusOf(Role("web")), "failed its check");
  ExpectCorrupt(database_->CheckShard({"tickets", 0}), "tickets/0");
  Open(true);
  const auto accepted = database_->AcceptedDamage();
  ASSERT_EQ(accepted.size(), 3U);
  EXPECT_EQ(accepted[0], "1 rows of roles failed their check and are removed");
  EXPECT_NE(accepted[1].find("roles/0"), std::string::npos);
  EXPECT_NE(accepted[2].find("tickets/0"), std::string::npos);
  const auto web = Role("web");
  ASSERT_TRUE(web);
  EXPECT_FALSE(*web);
  EXPECT_NE(database_->Lineage(), lineage);
  Open();
  EXPECT_TRUE(database_->AcceptedDamage().empty());
  for (const Shard& shard : database_->Shards()) EXPECT_TRUE(database_->CheckShard(shard));
  EXPECT_TRUE(PutTicket(1));
}

TEST_F(TableTest, WithoutAnAnchorATableTakesNoRows) {
  const fakes::TemporaryDirectory elsewhere;
  auto fresh = Database::Open({.file = elsewhere.Path() / "coffer.db"}, TheSchema(), logger_);
  ASSERT_TRUE(fresh);
  auto transaction = (*fresh)->Begin();
  ASSERT_TRUE(transaction);
  EXPECT_FALSE(Roles::Put(*transaction, role_));
}

TEST_F(TableTest, ChangesAreUnanchoredUntilTheNextAnchor) {
  EXPECT_FALSE(database_->Unanchored());
  ASSERT_TRUE(PutTicket(1));
  EXPECT_TRUE(database_->Unanchored());
  int anchors = 0;
  database_->SetAnchor([&](std::uint64_t) {
    ++anchors;
    const Status made = Change([](Transaction&) { return Status{}; }, true);
    database_->AnchorWritten();
    return made;
  });
  ASSERT_TRUE(database_->AwaitAnchor());
  EXPECT_FALSE(database_->Unanchored());
  ASSERT_TRUE(database_->AwaitAnchor());
  EXPECT_EQ(anchors, 1);
}

TEST(NetstringsTest, OnlyWholeListsAreRead) {
  EXPECT_EQ(ToNetstrings(std::vector<std::string>{"a", "", "b,1:"}), "1:a,0:,4:b,1:,");
  EXPECT_EQ(FromNetstrings("1:a,0:,4:b,1:,"), (std::vector<std::string>{"a", "", "b,1:"}));
  EXPECT_EQ(FromNetstrings(""), std::vector<std::string>{});
  for (const char* const bad :
       {"1:a", "1a,", ":a,", "-1:a,", "2:a,", "1:ab", "99999999999:a,", ","}) {
    EXPECT_FALSE(FromNetstrings(bad)) << bad;
  }
}

}  // namespace
}  // namespace coffer::storage
