#include "coffer/mounts/mount_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "fakes/counting_random.h"
#include "fakes/row_codes.h"
#include "fakes/temporary_directory.h"

namespace coffer::mounts {
namespace {

MountPath Path(std::string_view text) { return *MountPath::Parse(text); }

// Refuses every COMMIT while it is told to.
class RefusingObserver final : public storage::CommitObserver {
 public:
  Status BeforeCommit(storage::Transaction&) override {
    if (refuse) return Fail(Code::kUnavailable, "storage is full");
    return {};
  }
  std::atomic<bool> refuse = false;
};

class MountTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto schema = MountTable::Schema();
    auto database = storage::Database::Open({directory_.Path() / "coffer.db"}, schema, logger_);
    ASSERT_TRUE(database) << database.error().cause;
    database_ = std::move(*database);
    ASSERT_TRUE(fakes::Authenticate(*database_));
    database_->AddCommitObserver(observer_);
    table_ = Load();
  }
  std::unique_ptr<MountTable> Load() {
    auto table = MountTable::Load(*database_, random_,
                                  {"sys/", "auth/", "identity/", "cubbyhole/", "audit/"});
    EXPECT_TRUE(table) << table.error().message << table.error().cause;
    return table ? std::move(*table) : nullptr;
  }
  std::shared_ptr<const Mount> Add(std::string_view path, MountConfig config = {}) {
    auto mount = table_->Add(Path(path), "transit", std::move(config));
    EXPECT_TRUE(mount) << mount.error().message << mount.error().cause;
    return mount ? *mount : nullptr;
  }
  // "PATH|REST" of the route, or "none".
  std::string RouteOf(std::string_view request_path) const {
    const auto route = table_->Find(request_path);
    return route ? route->mount->path.Text() + "|" + std::string(route->rest) : "none";
  }
  // A row written past the table, as damage on the disk would be.
  void Execute(std::string_view sql) {
    auto transaction = database_->Begin();
    ASSERT_TRUE(transaction->Prepare(sql)->Run());
    ASSERT_TRUE(transaction->Commit());
  }

  const fakes::TemporaryDirectory directory_;
  NullLogger logger_;
  fakes::CountingRandom random_;
  RefusingObserver observer_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<MountTable> table_;
};

TEST_F(MountTableTest, RoutesARequestToItsMountAndWhatIsLeft) {
  Add("transit");
  Add("team/a");
  EXPECT_EQ(RouteOf("transit/keys/x"), "transit/|keys/x");
  EXPECT_EQ(RouteOf("transit/"), "transit/|");
  EXPECT_EQ(RouteOf("transit"), "transit/|");
  EXPECT_EQ(RouteOf("team/a/encrypt/b/"), "team/a/|encrypt/b/");
  EXPECT_EQ(RouteOf("team/a"), "team/a/|");
}

TEST_F(MountTableTest, RoutesNothingElse) {
  Add("transit");
  Add("team/a");
  for (const std::string_view path : {"", "/", "//", "tran", "transits/keys", "team", "team/",
                                      "team/b/keys", "/transit/keys", "TRANSIT/keys"}) {
    EXPECT_EQ(RouteOf(path), "none") << path;
  }
}

TEST_F(MountTableTest, GivesAMountItsAccessorAndAnId) {
  const auto first = Add("transit");
  const auto second = Add("other");
  EXPECT_EQ(first->type, "transit");
  EXPECT_EQ(first->accessor, "transit_00010203");
  EXPECT_NE(second->accessor, first->accessor);
  EXPECT_NE(second->id, first->id);
}

TEST_F(MountTableTest, RefusesAPathThatEqualsHoldsOrLiesUnderAMount) {
  Add("team/a");
  using Case = std::pair<std::string_view, std::string_view>;
  for (const auto& [path, taken] :
       {Case{"team/a", "team/a/"}, Case{"team", "team/a/"}, Case{"team/a/b", "team/a/"}}) {
    const auto mount = table_->Add(Path(path), "transit", {});
    ASSERT_FALSE(mount) << path;
    EXPECT_EQ(mount.error().code, Code::kConflict);
    EXPECT_EQ(mount.error().refusal, Refusal::kMountPathTaken);
    EXPECT_EQ(mount.error().arguments.name, taken);
  }
  EXPECT_EQ(table_->List().size(), 1U);
  Add("teams");  // shares letters only
  Add("team/ab");
}

TEST_F(MountTableTest, RefusesReservedWordsAndWhatLiesUnderThem) {
  for (const std::string_view path :
       {"sys", "sys/x", "auth", "auth/token", "identity", "cubbyhole/x/y", "audit", "audit/a"}) {
    const auto mount = table_->Add(Path(path), "transit", {});
    ASSERT_FALSE(mount) << path;
    EXPECT_EQ(mount.error().code, Code::kInvalid);
    EXPECT_EQ(mount.error().refusal, Refusal::kMountPathReserved);
    EXPECT_EQ(mount.error().arguments.name, std::string(path) + "/");
  }
  Add("system");
  Add("team/sys");
  const auto moved = table_->Move(Path("system"), Path("audit/x"));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, Code::kInvalid);
  EXPECT_EQ(moved.error().refusal, Refusal::kRemountPathReserved);
  EXPECT_EQ(moved.error().arguments.name, "audit/x/");
}

TEST_F(MountTableTest, KeepsEverythingAcrossARestart) {
  MountConfig config;
  config.default_lease_ttl_seconds = 60;
  config.max_lease_ttl_seconds = 3600;
  config.force_no_cache = true;
  config.listing_visibility = "unauth";
  config.options = {{"version", "2"}, {"a", ""}};
  config.description = "keys of the \xc3\xa9quipe";
  config.local = true;
  config.external_entropy_access = true;
  config.audit_non_hmac_request_keys = {"b", "a", "b"};
  config.allowed_response_headers = {"X-A"};
  const auto before = Add("b", config);
  Add("a");
  table_ = Load();
  const auto mounts = table_->List();
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0]->path.Text(), "a/");
  const Mount& after = *mounts[1];
  EXPECT_EQ(after.id, before->id);
  EXPECT_EQ(after.accessor, before->accessor);
  EXPECT_EQ(after.type, "transit");
  EXPECT_EQ(after.config.default_lease_ttl_seconds, 60);
  EXPECT_EQ(after.config.max_lease_ttl_seconds, 3600);
  EXPECT_TRUE(after.config.force_no_cache);
  EXPECT_EQ(after.config.listing_visibility, "unauth");
  EXPECT_EQ(after.config.description, config.description);
  EXPECT_EQ(after.config.options, before->config.options);
  EXPECT_EQ(after.config.options.size(), 2U);
  EXPECT_TRUE(after.config.local);
  EXPECT_FALSE(after.config.seal_wrap);
  EXPECT_TRUE(after.config.external_entropy_access);
  EXPECT_EQ(after.config.audit_non_hmac_request_keys, (std::vector<std::string>{"b", "a", "b"}));
  EXPECT_TRUE(after.config.audit_non_hmac_response_keys.empty());
  EXPECT_TRUE(after.config.passthrough_request_headers.empty());
  EXPECT_EQ(after.config.allowed_response_headers, std::vector<std::string>{"X-A"});
}

TEST_F(MountTableTest, TunesAMountAndKeepsItsIdentity) {
  MountConfig config;
  config.options = {{"version", "1"}, {"gone", "x"}};
  const auto before = Add("transit", config);
  config.options = {{"version", "2"}};
  config.description = "new";
  config.seal_wrap = true;
  config.passthrough_request_headers = {"X-B"};
  ASSERT_TRUE(table_->Tune(Path("transit"), config));
  for (const bool restarted : {false, true}) {
    if (restarted) table_ = Load();
    const auto after = table_->List().at(0);
    EXPECT_EQ(after->id, before->id);
    EXPECT_EQ(after->accessor, before->accessor);
    EXPECT_EQ(after->config.description, "new");
    EXPECT_EQ(after->config.options, config.options);
    EXPECT_EQ(after->config.passthrough_request_headers, config.passthrough_request_headers);
  }
  EXPECT_EQ(before->config.description, "");  // what a request already holds does not change
}

TEST_F(MountTableTest, RefusesConfigsThatMakeNoSense) {
  Add("transit");
  MountConfig negative;
  negative.default_lease_ttl_seconds = -1;
  MountConfig visibility;
  visibility.listing_visibility = "public";
  MountConfig twice;
  twice.options = {{"version", "1"}, {"a", "b"}, {"version", "2"}};
  for (const MountConfig& config : {negative, visibility, twice}) {
    const Status tuned = table_->Tune(Path("transit"), config);
    ASSERT_FALSE(tuned);
    EXPECT_EQ(tuned.error().code, Code::kInvalid);
    EXPECT_FALSE(table_->Add(Path("other"), "transit", config));
  }
}

TEST_F(MountTableTest, MovesAMountUnderTheSameId) {
  const auto before = Add("old");
  ASSERT_TRUE(table_->Move(Path("old"), Path("new/old")));
  EXPECT_EQ(RouteOf("old/x"), "none");
  EXPECT_EQ(RouteOf("new/old/x"), "new/old/|x");
  table_ = Load();
  EXPECT_EQ(table_->Find("new/old")->mount->id, before->id);
}

TEST_F(MountTableTest, MovesNothingOntoAnotherMountOrItself) {
  Add("a");
  Add("b");
  EXPECT_EQ(table_->Move(Path("a"), Path("b/c")).error().code, Code::kConflict);
  for (const std::string_view to : {"a", "a/b"}) {
    const auto moved = table_->Move(Path("a"), Path(to));
    ASSERT_FALSE(moved) << to;
    EXPECT_EQ(moved.error().code, Code::kConflict);
    EXPECT_EQ(moved.error().refusal, Refusal::kRemountPathTaken);
    EXPECT_EQ(moved.error().arguments.name, "a/");
  }
  EXPECT_EQ(RouteOf("a/x"), "a/|x");
}

TEST_F(MountTableTest, SaysWhereThereIsNoMountToChange) {
  EXPECT_EQ(table_->Tune(Path("a"), {}).error().code, Code::kNotFound);
  EXPECT_EQ(table_->Move(Path("a"), Path("b")).error().code, Code::kNotFound);
  EXPECT_EQ(table_->Move(Path("a"), Path("b")).error().message, "no mount at a/");
}

TEST_F(MountTableTest, RemovesAMountAndItsOptionsAndAnAbsentOneToo) {
  MountConfig config;
  config.options = {{"version", "2"}};
  const auto before = Add("transit", config);
  ASSERT_TRUE(table_->Remove(Path("transit")));
  ASSERT_TRUE(table_->Remove(Path("transit")));
  EXPECT_EQ(RouteOf("transit/x"), "none");
  table_ = Load();
  EXPECT_TRUE(table_->List().empty());
  EXPECT_NE(Add("transit")->id, before->id);
}

TEST_F(MountTableTest, PublishesNothingThatWasNotCommitted) {
  Add("kept");
  observer_.refuse = true;
  EXPECT_EQ(table_->Add(Path("new"), "transit", {}).error().message, "storage is full");
  MountConfig config;
  config.description = "changed";
  EXPECT_FALSE(table_->Tune(Path("kept"), config));
  EXPECT_FALSE(table_->Move(Path("kept"), Path("moved")));
  EXPECT_FALSE(table_->Remove(Path("kept")));
  ASSERT_EQ(table_->List().size(), 1U);
  EXPECT_EQ(table_->List()[0]->path.Text(), "kept/");
  EXPECT_EQ(table_->List()[0]->config.description, "");
  observer_.refuse = false;
  EXPECT_TRUE(table_->Remove(Path("kept")));
}

TEST_F(MountTableTest, NoColumnOfAMountCanBeEditedAndNoPathsSwapped) {
  Add("transit");
  Add("other");
  constexpr std::string_view kSwap =
      "path = CASE path WHEN 'transit/' THEN 'aside/' WHEN 'other/' THEN 'transit/' ELSE 'other/' "
      "END";
  for (const auto& [damage, repair] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"path = 'moved/' WHERE path = 'transit/'", "path = 'transit/' WHERE path = 'moved/'"},
           {"type = 'kv'", "type = 'transit'"},
           {"accessor = accessor || 'x'", "accessor = rtrim(accessor, 'x')"},
           {"description = 'x'", "description = ''"},
           {"options = '1:a,1:b,'", "options = ''"},
           {"default_lease_ttl_seconds = 1", "default_lease_ttl_seconds = 0"},
           {"max_lease_ttl_seconds = 1", "max_lease_ttl_seconds = 0"},
           {"force_no_cache = 1", "force_no_cache = 0"},
           {"listing_visibility = 'unauth'", "listing_visibility = ''"},
           {"local = 1", "local = 0"},
           {"seal_wrap = 1", "seal_wrap = 0"},
           {"external_entropy_access = 1", "external_entropy_access = 0"},
           {"audit_non_hmac_request_keys = '9:plaintext,'", "audit_non_hmac_request_keys = ''"},
           {"audit_non_hmac_response_keys = '9:plaintext,'", "audit_non_hmac_response_keys = ''"},
           {"passthrough_request_headers = '1:a,'", "passthrough_request_headers = ''"},
           {"allowed_response_headers = '1:a,'", "allowed_response_headers = ''"},
           {"generation = generation + 1", "generation = generation - 1"}}) {
    Execute("UPDATE mounts SET " + std::string(damage));
    const auto damaged = MountTable::Load(*database_, random_, {});
    ASSERT_FALSE(damaged) << damage;
    EXPECT_EQ(damaged.error().code, Code::kCorrupt) << damage;
    Execute("UPDATE mounts SET " + std::string(repair));
    ASSERT_TRUE(MountTable::Load(*database_, random_, {})) << repair;
  }
  for (int turn = 0; turn < 2; ++turn) {
    Execute("UPDATE mounts SET " + std::string(kSwap) +
            (turn == 0 ? " WHERE path = 'transit/'" : " WHERE path = 'other/'"));
  }
  Execute("UPDATE mounts SET " + std::string(kSwap) + " WHERE path = 'aside/'");
  EXPECT_FALSE(MountTable::Load(*database_, random_, {}));
}

TEST_F(MountTableTest, ARemovedMountIsFoundByTheCheck) {
  Add("transit");
  Execute("DELETE FROM mounts");
  EXPECT_FALSE(database_->CheckShard({"mounts", 0}));
}

TEST(MountMigrationTest, MountsOfTheFirstSchemaKeepEverything) {
  const fakes::TemporaryDirectory directory;
  NullLogger logger;
  fakes::CountingRandom random;
  auto schema = MountTable::Schema();
  const auto file = directory.Path() / "coffer.db";
  {
    auto former = storage::Database::Open({file}, std::span(schema).first(1), logger);
    ASSERT_TRUE(former) << former.error().cause;
    auto transaction = (*former)->Begin();
    for (const std::string_view sql :
         {"INSERT INTO mounts VALUES (x'000102030405060708090a0b0c0d0e0f', 'team/', 'transit', "
          "'transit_1', 'ours', 60, 120, 1, 'unauth', 1, 0, 1)",
          "INSERT INTO mount_options SELECT id, 'b', 'x,1:y' FROM mounts",
          "INSERT INTO mount_options SELECT id, 'a', '' FROM mounts",
          "INSERT INTO mount_lists SELECT id, 'passthrough_request_headers', 1, 'second' "
          "FROM mounts",
          "INSERT INTO mount_lists SELECT id, 'passthrough_request_headers', 0, 'f\xc3\xbcrst' "
          "FROM mounts",
          "INSERT INTO mount_lists SELECT id, 'allowed_response_headers', 0, 'x' FROM mounts"}) {
      auto statement = transaction->Prepare(sql);
      ASSERT_TRUE(statement) << statement.error().cause;
      ASSERT_TRUE(statement->Run());
    }
    ASSERT_TRUE(transaction->Commit());
  }
  auto database = storage::Database::Open({file}, schema, logger);
  ASSERT_TRUE(database) << database.error().message << database.error().cause;
  ASSERT_TRUE(fakes::Authenticate(**database));
  const auto table = MountTable::Load(**database, random, {});
  ASSERT_TRUE(table) << table.error().message << table.error().cause;
  ASSERT_EQ((*table)->List().size(), 1U);
  const Mount& mount = *(*table)->List().front();
  EXPECT_EQ(mount.path.Text(), "team/");
  EXPECT_EQ(mount.accessor, "transit_1");
  EXPECT_EQ(mount.config.description, "ours");
  EXPECT_EQ(mount.config.max_lease_ttl_seconds, 120);
  EXPECT_TRUE(mount.config.force_no_cache && mount.config.local &&
              mount.config.external_entropy_access && !mount.config.seal_wrap);
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(mount.config.options, (std::vector<Pair>{{"a", ""}, {"b", "x,1:y"}}));
  EXPECT_EQ(mount.config.passthrough_request_headers,
            (std::vector<std::string>{"f\xc3\xbcrst", "second"}));
  EXPECT_EQ(mount.config.allowed_response_headers, std::vector<std::string>{"x"});
  EXPECT_TRUE((*database)->CheckShard({"mounts", 0}));
}

TEST_F(MountTableTest, FindsMountsWhileOthersAreChanged) {
  Add("steady");
  std::atomic<bool> done = false;
  std::atomic<int> missed = 0;
  std::thread searcher([&] {
    while (!done) {
      if (RouteOf("steady/x") != "steady/|x") ++missed;
    }
  });
  for (int i = 0; i < 20; ++i) {
    Add("moving");
    EXPECT_TRUE(table_->Remove(Path("moving")));
  }
  done = true;
  searcher.join();
  EXPECT_EQ(missed, 0);
}

TEST_F(MountTableTest, LetsOneOfManyWinWhereTheirPathsHoldOneAnother) {
  constexpr std::string_view kNested[] = {"c", "c/x", "c/x/y", "c/x/y/z"};
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> conflicts = 0;
    std::vector<std::thread> threads;
    for (const std::string_view path : kNested) {
      threads.emplace_back([&, path] {
        const auto mount = table_->Add(Path(path), "transit", {});
        if (!mount && mount.error().code == Code::kConflict) ++conflicts;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(conflicts, 3);
    ASSERT_EQ(table_->List().size(), 1U);
    ASSERT_TRUE(table_->Remove(table_->List()[0]->path));
  }
}

}  // namespace
}  // namespace coffer::mounts
