#include "coffer/auth/token_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "coffer/crypto/keyed_hash.h"
#include "fakes/counting_random.h"
#include "fakes/temporary_directory.h"

namespace coffer::auth {
namespace {

class FixedClock final : public Clock {
 public:
  SystemTime Now() const override { return now; }
  SystemTime now = FromUnixNanoseconds(1'700'000'000'123'456'789);
};

class RefusingObserver final : public storage::CommitObserver {
 public:
  Status BeforeCommit(storage::Transaction&) override {
    if (refuse) return Fail(Code::kUnavailable, "storage is full");
    return {};
  }
  bool refuse = false;
};

class TokenStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto schema = TokenStore::Schema();
    auto database = storage::Database::Open({File()}, schema, logger_);
    ASSERT_TRUE(database) << database.error().cause;
    database_ = std::move(*database);
    database_->AddCommitObserver(observer_);
    store_ = Load();
  }
  std::filesystem::path File() const { return directory_.Path() / "coffer.db"; }
  static SecretBytes Key(std::uint8_t octet = 0x42) { return SecretBytes(Bytes(32, octet)); }
  std::unique_ptr<TokenStore> Load(SecretBytes key = Key()) {
    auto store = TokenStore::Load(*database_, key, random_, clock_);
    EXPECT_TRUE(store) << store.error().message << store.error().cause;
    return store ? std::move(*store) : nullptr;
  }
  void ExpectDenied(std::string_view token) {
    const auto entry = store_->Lookup(token);
    ASSERT_FALSE(entry) << token;
    EXPECT_EQ(entry.error().code, Code::kPermissionDenied);
    EXPECT_EQ(entry.error().message, "permission denied");
  }

  const fakes::TemporaryDirectory directory_;
  NullLogger logger_;
  fakes::CountingRandom random_;
  FixedClock clock_;
  RefusingObserver observer_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<TokenStore> store_;
};

TEST_F(TokenStoreTest, DeniesEverythingBeforeThereIsAToken) {
  EXPECT_FALSE(store_->Initialized());
  ExpectDenied("");
  ExpectDenied("root");
}

TEST_F(TokenStoreTest, KnowsTheRootTokenAlsoAfterARestart) {
  ASSERT_TRUE(store_->SetRootToken("hvs.secret"));
  std::string accessor;
  for (const bool restarted : {false, true}) {
    if (restarted) store_ = Load();
    EXPECT_TRUE(store_->Initialized());
    const auto entry = store_->Lookup("hvs.secret");
    ASSERT_TRUE(entry);
    EXPECT_EQ((*entry)->policies, std::vector<std::string>{"root"});
    EXPECT_EQ((*entry)->display_name, "root");
    EXPECT_EQ((*entry)->created, clock_.now);
    EXPECT_EQ((*entry)->accessor.size(), 24U);
    EXPECT_TRUE(!restarted || (*entry)->accessor == accessor);
    accessor = (*entry)->accessor;
  }
}

TEST_F(TokenStoreTest, DeniesNearMisses) {
  ASSERT_TRUE(store_->SetRootToken("hvs.secret"));
  for (const std::string_view token :
       {"", "hvs.secre", "hvs.secret ", "HVS.SECRET", "hvs.secreu"}) {
    ExpectDenied(token);
  }
  ExpectDenied(std::string_view("hvs.secret\0", 11));
  ExpectDenied((*store_->Lookup("hvs.secret"))->accessor);
}

TEST_F(TokenStoreTest, ReplacesTheFormerRootToken) {
  ASSERT_TRUE(store_->SetRootToken("first"));
  ASSERT_TRUE(store_->SetRootToken("second"));
  for (const bool restarted : {false, true}) {
    if (restarted) store_ = Load();
    ExpectDenied("first");
    EXPECT_TRUE(store_->Lookup("second"));
  }
}

TEST_F(TokenStoreTest, WritesNothingForTheSameTokenAgain) {
  ASSERT_TRUE(store_->SetRootToken("same"));
  const std::string accessor = (*store_->Lookup("same"))->accessor;
  observer_.refuse = true;  // a write would fail
  EXPECT_TRUE(store_->SetRootToken("same"));
  EXPECT_EQ((*store_->Lookup("same"))->accessor, accessor);
}

TEST_F(TokenStoreTest, RefusesAnEmptyRootToken) {
  const Status set = store_->SetRootToken("");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, Code::kInvalid);
  ExpectDenied("");
}

TEST_F(TokenStoreTest, KeepsTheFormerTokenWhereTheNewOneCannotBeStored) {
  ASSERT_TRUE(store_->SetRootToken("first"));
  observer_.refuse = true;
  EXPECT_FALSE(store_->SetRootToken("second"));
  EXPECT_TRUE(store_->Lookup("first"));
  ExpectDenied("second");
}

TEST_F(TokenStoreTest, DeniesEveryTokenUnderAnotherLookupKey) {
  ASSERT_TRUE(store_->SetRootToken("token"));
  store_ = Load(Key(0x43));
  ExpectDenied("token");
}

TEST_F(TokenStoreTest, StoresTheKeyedHashAndNeverTheToken) {
  const std::string token = "hvs.ThisIsTheTokenToLookFor";
  ASSERT_TRUE(store_->SetRootToken(token));
  std::string stored;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.Path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    stored.append(std::istreambuf_iterator<char>(file), {});
  }
  const auto contains = [&](ByteView octets) {
    return stored.find(AsText(octets)) != std::string::npos;
  };
  EXPECT_TRUE(contains(crypto::KeyedHash(Key()).Of(AsBytes(token))));
  EXPECT_FALSE(contains(AsBytes(token)));
  EXPECT_FALSE(contains(crypto::Sha256(AsBytes(token))));
  EXPECT_FALSE(contains(Key().Reveal()));
}

TEST_F(TokenStoreTest, RefusesAHashOfAnotherLength) {
  ASSERT_TRUE(store_->SetRootToken("token"));
  {
    auto transaction = database_->Begin();
    ASSERT_TRUE(transaction->Prepare("PRAGMA defer_foreign_keys=ON")->Step());
    ASSERT_TRUE(transaction->Prepare("UPDATE tokens SET hash = x'0102'")->Run());
    ASSERT_TRUE(transaction->Prepare("UPDATE token_policies SET token_hash = x'0102'")->Run());
    ASSERT_TRUE(transaction->Commit());
  }
  const auto store = TokenStore::Load(*database_, Key(), random_, clock_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kCorrupt);
}

TEST_F(TokenStoreTest, LooksUpWhileTheTokenIsReplaced) {
  ASSERT_TRUE(store_->SetRootToken("0"));
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::thread searcher([&] {
    while (!done) {
      if (store_->Lookup("never")) ++wrong;
      if (!store_->Initialized()) ++wrong;
    }
  });
  for (int i = 1; i <= 20; ++i) EXPECT_TRUE(store_->SetRootToken(std::to_string(i)));
  done = true;
  searcher.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(store_->Lookup("20"));
}

}  // namespace
}  // namespace coffer::auth
