#include "coffer/auth/token_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "coffer/auth/schema.h"
#include "coffer/crypto/keyed_hash.h"
#include "coffer/crypto/system_random.h"
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
    const auto schema = Schema();
    auto database = storage::Database::Open({File()}, schema, logger_);
    ASSERT_TRUE(database) << database.error().cause;
    database_ = std::move(*database);
    database_->AddCommitObserver(observer_);
    store_ = Load();
  }
  std::filesystem::path File() const { return directory_.Path() / "coffer.db"; }
  static SecretBytes Key(std::uint8_t octet = 0x42) { return SecretBytes(Bytes(32, octet)); }
  std::unique_ptr<TokenStore> Load(SecretBytes key = Key()) {
    policies_ = PolicyStore::Load(*database_, clock_).value();
    auto store = TokenStore::Load(*database_, *policies_, key, random_, clock_);
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
  crypto::SystemRandom random_;
  FixedClock clock_;
  RefusingObserver observer_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<PolicyStore> policies_;
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
    EXPECT_EQ(entry->token->policies, std::vector<std::string>{"root"});
    EXPECT_EQ(entry->token->display_name, "root");
    EXPECT_EQ(entry->token->created, clock_.now);
    EXPECT_EQ(entry->token->accessor.size(), 24U);
    EXPECT_TRUE(!restarted || entry->token->accessor == accessor);
    accessor = entry->token->accessor;
  }
}

TEST_F(TokenStoreTest, DeniesNearMisses) {
  ASSERT_TRUE(store_->SetRootToken("hvs.secret"));
  for (const std::string_view token :
       {"", "hvs.secre", "hvs.secret ", "HVS.SECRET", "hvs.secreu"}) {
    ExpectDenied(token);
  }
  ExpectDenied(std::string_view("hvs.secret\0", 11));
  ExpectDenied(store_->Lookup("hvs.secret")->token->accessor);
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
  const std::string accessor = store_->Lookup("same")->token->accessor;
  observer_.refuse = true;  // a write would fail
  EXPECT_TRUE(store_->SetRootToken("same"));
  EXPECT_EQ(store_->Lookup("same")->token->accessor, accessor);
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

TEST_F(TokenStoreTest, RefusesARowThatCannotBeRead) {
  ASSERT_TRUE(store_->SetRootToken("token"));
  {
    auto transaction = database_->Begin();
    ASSERT_TRUE(transaction->Prepare("UPDATE tokens SET policies = x'0102'")->Run());
    ASSERT_TRUE(transaction->Commit());
  }
  store_ = Load();
  const auto found = store_->Lookup("token");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kCorrupt);
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

// A tree of tokens below a root token.
class TokenTree : public TokenStoreTest {
 protected:
  void SetUp() override {
    TokenStoreTest::SetUp();
    ASSERT_TRUE(store_->SetRootToken("root"));
  }
  // Makes a token that lives for so many seconds; 0: without end.
  std::string Make(std::string_view parent, std::int64_t seconds = 0, std::int64_t uses = 0) {
    TokenEntry entry;
    entry.policies = {"app"};
    entry.created = clock_.now;
    entry.orphan = parent.empty();
    entry.uses = uses;
    entry.renewable = true;
    if (!parent.empty()) entry.parent = store_->Lookup(parent)->token->hash;
    if (seconds > 0) entry.expires = clock_.now + std::chrono::seconds(seconds);
    const auto made = store_->Create(entry);
    EXPECT_TRUE(made) << made.error().message << made.error().cause;
    return made ? std::string(AsText(made->Reveal())) : "";
  }
  const TokenEntry& EntryOf(const std::string& token) {
    entries_.push_back(store_->Lookup(token)->token);
    return *entries_.back();
  }
  void Wait(std::int64_t seconds) { clock_.now += std::chrono::seconds(seconds); }
  std::vector<std::shared_ptr<const TokenEntry>> entries_;
};

TEST_F(TokenTree, EndsAsAWholeAndNothingElseEnds) {
  const std::string parent = Make("root");
  const std::string child = Make(parent);
  const std::string grandchild = Make(child);
  const std::string sibling = Make("root");
  const std::string orphan = Make("");
  for (const std::string& each : {parent, child, grandchild, sibling, orphan}) {
    EXPECT_TRUE(store_->Lookup(each));
  }
  ASSERT_TRUE(store_->Revoke(EntryOf(parent)));
  for (const bool restarted : {false, true}) {
    if (restarted) store_ = Load();
    ExpectDenied(parent);
    ExpectDenied(child);
    ExpectDenied(grandchild);
    for (const std::string& each : {sibling, orphan}) {
      const auto found = store_->Lookup(each);
      EXPECT_TRUE(found) << found.error().message << found.error().cause;
    }
  }
}

TEST_F(TokenTree, MayLeaveItsChildrenAsOrphans) {
  const std::string parent = Make("root");
  const std::string child = Make(parent);
  const std::string grandchild = Make(child);
  ASSERT_TRUE(store_->RevokeOrphaning(EntryOf(parent)));
  ExpectDenied(parent);
  EXPECT_TRUE(EntryOf(child).orphan);
  EXPECT_FALSE(EntryOf(grandchild).orphan);
  ASSERT_TRUE(store_->SetRootToken("next"));
  EXPECT_TRUE(store_->Lookup(child));
}

TEST_F(TokenTree, ChildrenEndWithTheirParentsTimeAndComeBackWithItsRenewal) {
  const std::string parent = Make("root", 10);
  const std::string child = Make(parent, 100);
  const std::string last = Make(child);
  EXPECT_TRUE(store_->Lookup(last));
  Wait(9);
  ASSERT_TRUE(store_->Renew(EntryOf(parent), clock_.now + std::chrono::seconds(20)));
  Wait(19);
  EXPECT_TRUE(store_->Lookup(last));
  Wait(1);
  ExpectDenied(parent);
  ExpectDenied(child);
  ExpectDenied(last);
}

TEST_F(TokenTree, AShorterRenewalHoldsForDescendantsThatAreInMemory) {
  const std::string parent = Make("root", 1000);
  const std::string child = Make(parent, 1000);
  EXPECT_TRUE(store_->Lookup(child));
  ASSERT_TRUE(store_->Renew(EntryOf(parent), clock_.now + std::chrono::seconds(5)));
  Wait(5);
  ExpectDenied(child);
}

TEST_F(TokenTree, ATokenThatHasEndedIsNeitherRenewedNorAParent) {
  const std::string token = Make("root", 10);
  const TokenEntry& entry = EntryOf(token);
  Wait(10);
  EXPECT_FALSE(store_->Renew(entry, clock_.now + std::chrono::seconds(10)));
  TokenEntry child;
  child.parent = entry.hash;
  EXPECT_FALSE(store_->Create(child));
  ASSERT_TRUE(store_->Tidy(clock_.now));
  Wait(-10);
  ExpectDenied(token);
}

TEST_F(TokenTree, LimitedUsesAreTakenOnceEach) {
  const std::string token = Make("root", 0, 2);
  const auto before = store_->Lookup(token)->token;
  EXPECT_EQ(store_->Lookup(token)->token->uses, 2) << "a look-up takes none";
  EXPECT_TRUE(store_->Use(*before));
  EXPECT_EQ(store_->Lookup(token)->token->uses, 1);
  EXPECT_TRUE(store_->Use(*before));
  ExpectDenied(token);
  EXPECT_FALSE(store_->Use(*before)) << "from an entry that was read earlier";
}

TEST_F(TokenTree, NoUseIsTakenTwiceByManyThreads) {
  constexpr int kUses = 20;
  const std::string token = Make("root", 0, kUses);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kUses; ++j) {
        const auto found = store_->Lookup(token);
        if (found && store_->Use(*found->token)) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, kUses);
  ExpectDenied(token);
}

TEST_F(TokenTree, AUseThatCannotBeStoredIsNone) {
  const std::string token = Make("root", 0, 1);
  observer_.refuse = true;
  EXPECT_FALSE(store_->Use(*store_->Lookup(token)->token));
  observer_.refuse = false;
  EXPECT_TRUE(store_->Use(*store_->Lookup(token)->token));
}

TEST_F(TokenTree, ARevocationThatCannotBeStoredIsNone) {
  const std::string token = Make("root");
  observer_.refuse = true;
  EXPECT_FALSE(store_->Revoke(EntryOf(token)));
  EXPECT_TRUE(store_->Lookup(token));
}

TEST_F(TokenTree, ATextThatIsThereIsNotGivenAgain) {
  TokenEntry first;
  ASSERT_TRUE(store_->Create(first, "chosen"));
  TokenEntry second;
  const auto again = store_->Create(second, "chosen");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kInvalid);
}

TEST_F(TokenTree, BoundAddressesHoldForTheCallerAlone) {
  TokenEntry entry;
  entry.bound_cidrs = {"10.0.0.0/8"};
  ASSERT_TRUE(store_->Create(entry, "bound"));
  EXPECT_TRUE(store_->Authenticate("bound", "10.1.2.3"));
  EXPECT_FALSE(store_->Authenticate("bound", "11.1.2.3"));
  EXPECT_FALSE(store_->Authenticate("bound", ""));
  EXPECT_TRUE(store_->Lookup("bound"));
}

TEST_F(TokenTree, AccessorsNameTokensAndOpenNothing) {
  const std::string token = Make("root");
  const std::string accessor = EntryOf(token).accessor;
  EXPECT_EQ((*store_->FindAccessor(accessor))->hash, EntryOf(token).hash);
  EXPECT_EQ(*store_->FindAccessor("nobody"), nullptr);
  EXPECT_EQ(store_->Accessors()->size(), 2U);
  ExpectDenied(accessor);
}

TEST_F(TokenTree, TheDatabaseRefusesARowWithoutItsParent) {
  const std::string child = Make(Make("root"));
  auto transaction = database_->Begin();
  auto move = transaction->Prepare("UPDATE tokens SET parent = parent || x'00' WHERE hash = ?");
  EXPECT_FALSE(move->Bind(0, ByteView(EntryOf(child).hash)).Run());
}

TEST_F(TokenTree, ALineThatIsACircleIsNoLine) {
  const std::string parent = Make("root");
  const std::string child = Make(parent);
  {
    auto transaction = database_->Begin();
    auto move = transaction->Prepare("UPDATE tokens SET parent = ? WHERE hash = ?");
    move->Bind(0, ByteView(EntryOf(child).hash)).Bind(1, ByteView(EntryOf(parent).hash));
    ASSERT_TRUE(move->Run());
    ASSERT_TRUE(transaction->Commit());
  }
  store_ = Load();
  ExpectDenied(child);
  ExpectDenied(parent);
}

TEST_F(TokenTree, ARootTokenThatIsReplacedEndsWhatItMade) {
  const std::string child = Make("root");
  const std::string orphan = Make("");
  ASSERT_TRUE(store_->SetRootToken("next"));
  ExpectDenied("root");
  ExpectDenied(child);
  EXPECT_TRUE(store_->Lookup(orphan));
}

TEST_F(TokenTree, ARevokedRootTokenLeavesAnInitializedServer) {
  ASSERT_TRUE(store_->Revoke(EntryOf("root")));
  ExpectDenied("root");
  EXPECT_TRUE(store_->Initialized());
  store_ = Load();
  EXPECT_TRUE(store_->Initialized());
}

// More bytes than one part of the store's memory takes: the tokens whose hashes end alike share
// one.
TEST_F(TokenTree, LargeTokensThatPushEachOtherOutOfMemoryAllWork) {
  const crypto::KeyedHash hash(Key());
  std::vector<std::string> tokens;
  for (int i = 0; tokens.size() < 50; ++i) {
    std::string text = "large" + std::to_string(i);
    if (hash.Of(AsBytes(text)).back() % 64 == 0) tokens.push_back(std::move(text));
  }
  for (const std::string& token : tokens) {
    TokenEntry entry;
    entry.policies = {"app"};
    entry.metadata = {{"large", std::string(60 * 1024, 'x')}};
    ASSERT_TRUE(store_->Create(entry, token));
    ASSERT_TRUE(store_->Lookup(token));
  }
  ASSERT_TRUE(policies_->Write("app", R"(path "a" { capabilities = ["read"] })"));
  for (const std::string& token : tokens) {
    const auto found = store_->Lookup(token);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->rules->Decide({.path = "a", .capability = Capability::kRead}).allowed);
    ASSERT_TRUE(store_->Revoke(*found->token));
    ExpectDenied(token);
  }
}

TEST_F(TokenTree, TheRulesOfATokenFollowItsPolicies) {
  const std::string token = Make("root");
  const auto allowed = [&] {
    return store_->Lookup(token)
        ->rules->Decide({.path = "a", .capability = Capability::kRead})
        .allowed;
  };
  EXPECT_FALSE(allowed());
  ASSERT_TRUE(policies_->Write("app", R"(path "a" { capabilities = ["read"] })"));
  EXPECT_TRUE(allowed());
  ASSERT_TRUE(policies_->Delete("app"));
  EXPECT_FALSE(allowed());
}

}  // namespace
}  // namespace coffer::auth
