// The barrier seals and opens records over a real token, through restarts, rotations, restores and
// losses.

#include "barrier/barrier_fixture.h"
#include "keyring/encryption_counts.h"
#include "keyring/forwarding_token.h"

namespace coffer::barrier {
namespace {

using keyring::Custody;

TEST_F(BarrierTest, OpensOnEveryLaneWhatAnyLaneSealed) {
  const Bytes first = *SealOnCustodian(owner_, "r1", "one");
  const Bytes second = *Seal("r2", "two", 1);
  EXPECT_EQ(first.size(), 3 + kSealedOverhead);
  EXPECT_EQ(*Open("r1", first, 0), "one");
  EXPECT_EQ(*Open("r2", second, 0), "two");
  EXPECT_NE(first, *SealOnCustodian(owner_, "r1", "one")) << "each nonce is fresh";
  const Bytes empty = *Seal("r3", "");
  EXPECT_EQ(*Open("r3", empty), "");
  Must(OpenAnew());
  EXPECT_EQ(*Open("r1", first, 1), "one");
}

TEST_F(BarrierTest, AWorkerSealsOnlyWithAKeyThatIsThere) {
  EXPECT_EQ(*barrier_->Ready(LaneOf(0), owner_), false);
  EXPECT_EQ(CodeOf(Seal("r", "x")), Code::kUnavailable);
  EXPECT_FALSE(*barrier_->Find(LaneOf(0), owner_));
  Must(barrier_->Prepare(owner_));
  Must(barrier_->Prepare(owner_));
  EXPECT_EQ(*barrier_->Ready(LaneOf(0), owner_), true);
  Must(Seal("r", "x"));
  EXPECT_EQ(KeyNow().version, 1);
}

TEST_F(BarrierTest, KeepsTheKeyInTheTokenAndShowsIt) {
  Must(barrier_->Prepare(owner_));
  const OwnerKey key = KeyNow();
  EXPECT_EQ(key.custody, Custody::kResident);
  EXPECT_EQ(key.resident_versions, 1U);
  EXPECT_EQ(key.owner, "room-test");
  EXPECT_EQ(ObjectsInToken().size(), 1U);
  const auto stored = keys_->Find(LaneOf(0), mount_, "room-test");
  EXPECT_TRUE((*stored)->versions.at(1).blob.empty());
  Must(barrier_->Prepare(Owner::OfMount(Id::Generate(random_))));
  EXPECT_EQ(barrier_->List(LaneOf(0))->size(), 2U);
}

TEST_F(BarrierTest, WrapsTheKeyWhereTheTokenHasNoRoom) {
  keyring::StartPolicy full;
  full.resident_limit = 0;
  Must(OpenAnew(full));
  const Bytes sealed = *SealOnCustodian(owner_, "r", "x");
  EXPECT_EQ(KeyNow().custody, Custody::kWrapped);
  EXPECT_TRUE(ObjectsInToken().empty());
  // With room again, the next version is resident, and the former one still opens.
  Must(OpenAnew());
  Must(barrier_->Rotate(owner_));
  EXPECT_EQ(KeyNow().custody, Custody::kResident);
  EXPECT_EQ(KeyNow().resident_versions, 1U);
  EXPECT_EQ(*Open("r", sealed), "x");
}

TEST_F(BarrierTest, ARotatedKeyOpensWhatItsFormerVersionsSealed) {
  const Bytes before = *SealOnCustodian(owner_, "r", "before");
  Must(barrier_->Rotate(owner_));
  const Bytes after = *Seal("r", "after");
  EXPECT_EQ(before[4], 1);
  EXPECT_EQ(after[4], 2);
  EXPECT_EQ(*Open("r", before), "before");
  EXPECT_EQ(*Open("r", after), "after");
}

TEST_F(BarrierTest, CountsWhatItSealsAndRotatesLongBeforeTheLimit) {
  Must(barrier_->Prepare(owner_));
  Must(Seal("r", "x"));
  EXPECT_EQ(KeyNow().sealed, keyring::kCountBlock);
  Charge(owner_.Name(), 1, keyring::kRotateAt - 1);
  Must(OpenAnew());
  Must(Seal("r", "x"));
  Drain();
  EXPECT_EQ(KeyNow().version, 2);
  Charge(owner_.Name(), 2, keyring::kRefuseAt);
  Must(OpenAnew());
  EXPECT_EQ(CodeOf(Seal("r", "x")), Code::kUnavailable) << "never beyond the limit";
}

TEST_F(BarrierTest, SealsWhileTheKeyIsRotated) {
  Must(barrier_->Prepare(owner_));
  std::vector<Bytes> sealed[2];
  std::vector<std::thread> workers;
  for (std::size_t worker = 0; worker < 2; ++worker) {
    workers.emplace_back([&, worker] {
      for (int i = 0; i < 100; ++i) sealed[worker].push_back(*Seal("r", "x", worker));
    });
  }
  for (int i = 0; i < 5; ++i) Must(barrier_->Rotate(owner_));
  for (auto& worker : workers) worker.join();
  for (const auto& list : sealed) {
    for (const Bytes& record : list) EXPECT_EQ(*Open("r", record), "x");
  }
}

TEST_F(BarrierTest, AnswersThatTheTokenIsLostAndGoesOnWhenItIsBack) {
  const Bytes sealed = *SealOnCustodian(owner_, "r", "x");
  token_.MoveAway();
  while (custodian_->Health().reachable.load()) std::this_thread::yield();
  EXPECT_EQ(CodeOf(Seal("r", "y")), Code::kTokenLost);
  EXPECT_EQ(CodeOf(Open("r", sealed)), Code::kTokenLost) << "and not that it is damaged";
  token_.MoveBack();
  while (!custodian_->Health().reachable.load()) std::this_thread::yield();
  EXPECT_EQ(*Open("r", sealed), "x");
  Must(Seal("r", "y"));
}

// A worker's token that has made as many objects as the test says.
class RecycledBarrierTest : public BarrierTest {
 protected:
  class CountingToken final : public keyring::ForwardingToken {
   public:
    CountingToken(std::unique_ptr<keyring::Token> real, std::atomic<std::uint64_t>& made)
        : ForwardingToken(std::move(real)), made_(made) {}
    std::uint64_t ObjectsMade() const override { return made_.load(); }
    Status Reopen() override {
      made_.store(0);
      return ForwardingToken::Reopen();
    }

   private:
    std::atomic<std::uint64_t>& made_;
  };
  std::unique_ptr<keyring::Token> WorkersToken(std::unique_ptr<keyring::Token> real) override {
    return std::make_unique<CountingToken>(std::move(real), made_);
  }
  std::atomic<std::uint64_t> made_{0};
};

TEST_F(RecycledBarrierTest, FindsItsKeysAgainInAnInstanceThatWasOpenedAnew) {
  const Bytes resident = *SealOnCustodian(owner_, "r", "x");
  EXPECT_EQ(*Open("r", resident), "x");
  made_.store(std::uint64_t{1} << 40);
  EXPECT_EQ(*Open("r", resident), "x");
  EXPECT_EQ(made_.load(), 0U) << "it was opened anew";
}

TEST_F(BarrierTest, ADestroyedKeyLeavesNothingInTheTokenAndOpensNothing) {
  const Owner other = Owner::OfRoom("other");
  const Bytes sealed = *SealOnCustodian(owner_, "r", "x");
  const Bytes others = *SealOnCustodian(other, "r", "y");
  Must(barrier_->Rotate(owner_));
  EXPECT_EQ(ObjectsInToken().size(), 3U);
  Must(barrier_->Destroy(owner_));
  EXPECT_EQ(ObjectsInToken().size(), 1U);
  EXPECT_EQ(CodeOf(Open("r", sealed)), Code::kCorrupt);
  Must(barrier_->Destroy(owner_));
  // A new owner of that name has another key.
  Must(barrier_->Prepare(owner_));
  EXPECT_EQ(CodeOf(Open("r", sealed)), Code::kCorrupt);
  EXPECT_EQ(*OpenAt(other, PlaceOf("r"), others), "y");
  EXPECT_EQ(CodeOf(OpenAt(Owner::OfRoom("none"), PlaceOf("r"), others)), Code::kCorrupt);
}

// The token is as it is; the database is put back to what it was.
class RestoredBarrierTest : public BarrierTest {
 protected:
  void BackUp() {
    auto reader = database_->Read();
    Must(reader);
    Must(reader->CopyTo(token_.Directory() / "backup.db", {}));
  }
  void Restore() {
    Close();
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(DatabaseFile().string() + suffix);
    }
    std::filesystem::copy_file(token_.Directory() / "backup.db", DatabaseFile());
    keyring::StartPolicy policy;
    Must(OpenDatabase());
    auto number = database_->Read()->AnchorNumber();
    policy.accept_rollback_to = **number;
    Must(OpenKeyRing(policy));
    MakeBarrier();
    Must(barrier_->Start(*custodian_));
  }
};

TEST_F(RestoredBarrierTest, ARestoredKeySealsByANewVersionAndOpensTheOldRecords) {
  const Bytes sealed = *SealOnCustodian(owner_, "r", "x");
  BackUp();
  Must(barrier_->Prepare(Owner::OfRoom("later")));
  Restore();
  EXPECT_EQ(KeyNow().version, 2) << "the count of the first version is not to be trusted";
  EXPECT_EQ(*barrier_->Ready(LaneOf(0), owner_), true);
  EXPECT_EQ(*Open("r", sealed), "x");
  EXPECT_EQ((*Seal("r", "y"))[4], 2);
}

TEST_F(RestoredBarrierTest, NoBackupOpensWhatAResidentKeySealedBeforeItWasDestroyed) {
  const Owner other = Owner::OfRoom("other");
  const Bytes sealed = *SealOnCustodian(owner_, "r", "x");
  const Bytes others = *SealOnCustodian(other, "r", "y");
  BackUp();
  Must(barrier_->Destroy(owner_));
  Restore();
  const auto opened = Open("r", sealed);
  EXPECT_EQ(CodeOf(opened), Code::kCorrupt);
  EXPECT_EQ(opened.error().message, "key version is not in the token");
  EXPECT_EQ(*OpenAt(other, PlaceOf("r"), others), "y");
  const Bytes anew = *Seal("r", "z");
  EXPECT_EQ(*Open("r", anew), "z") << "the owner goes on with a new version";
}

}  // namespace
}  // namespace coffer::barrier
