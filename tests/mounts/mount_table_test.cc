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
  auto reader = database_->Read();
  auto options = reader->Prepare("SELECT 1 FROM mount_options");
  EXPECT_FALSE(options->Step().value());
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

TEST_F(MountTableTest, RefusesARowThatIsNoMount) {
  Add("transit");
  for (const std::string_view damage :
       {"UPDATE mounts SET path = '/transit/'", "UPDATE mounts SET path = 'transit'",
        "UPDATE mounts SET path = 'transit/', id = x'00'"}) {
    Execute(damage);
    const auto table = MountTable::Load(*database_, random_,
                                        {"sys/", "auth/", "identity/", "cubbyhole/", "audit/"});
    ASSERT_FALSE(table) << damage;
    EXPECT_EQ(table.error().code, Code::kCorrupt);
  }
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
