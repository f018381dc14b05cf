#include "coffer/keyring/custodian.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>

namespace coffer::keyring {
namespace {

// A token that only answers whether it is there.
class SwitchableToken final : public Token {
 public:
  explicit SwitchableToken(std::shared_ptr<std::atomic<bool>> present)
      : present_(std::move(present)) {}
  Result<Custody> CustodyOf(const KeySpec&) override { return Custody::kWrapped; }
  Result<NewVersion> Generate(const KeySpec&, const ResidentPlace&) override {
    return Fail(Code::kTokenRefused, "not in this test");
  }
  Result<TokenHandle> Unwrap(const KeySpec&, Use, std::string_view, ByteView) override { return 1; }
  Result<NewVersion> Import(const KeySpec&, const WrappedImport&) override { return NewVersion(); }
  Result<ImportWrapping> ImportWrappingKey() override { return ImportWrapping(); }
  Status DestroyImportWrappingKey() override { return {}; }
  Result<Bytes> Export(const KeySpec&, std::string_view, ByteView, const crypto::PublicKey&,
                       crypto::HashAlgorithm) override {
    return Bytes();
  }
  Result<NewVersion> Agree(const KeySpec&, std::string_view, ByteView, const crypto::PublicKey&,
                           const KeySpec&) override {
    return NewVersion();
  }
  Result<NewVersion> GenerateHmacKey() override { return NewVersion(); }
  Result<TokenHandle> Derive(const KeySpec&, TokenHandle, DerivedUse, ByteView) override {
    return 1;
  }
  Result<TokenHandle> FindResident(ByteView) override { return 1; }
  Result<std::vector<Bytes>> Residents(const Id&) override { return std::vector<Bytes>(); }
  Status DestroyResident(ByteView) override { return {}; }
  Result<std::size_t> Sign(TokenHandle, const SignMechanism&, ByteView, MutableBytes) override {
    return 0;
  }
  Status RsaDecrypt(TokenHandle, ByteView, MutableBytes) override { return {}; }
  void Destroy(TokenHandle) override {}
  Status Encrypt(TokenHandle, Cipher, ByteView, ByteView, ByteView, MutableBytes) override {
    return {};
  }
  Status Decrypt(TokenHandle, Cipher, ByteView, ByteView, ByteView, MutableBytes) override {
    return {};
  }
  Result<Mac> MetaMac(ByteView) override { return Mac{}; }
  Status Random(MutableBytes) override { return {}; }
  Result<Epoch> ReadEpoch() override { return Epoch{}; }
  Status WriteEpoch(const Epoch&) override { return {}; }
  Status Probe() override {
    if (probing) probing();
    return Answer();
  }
  Status Reopen() override { return Answer(); }
  std::function<void()> probing;  // called first

 private:
  Status Answer() const {
    if (present_->load()) return {};
    return Fail(Code::kTokenLost, "the token is not reachable");
  }
  std::shared_ptr<std::atomic<bool>> present_;
};

class CustodianTest : public ::testing::Test {
 protected:
  void Start(Custodian::Options options = {.probe_period = std::chrono::milliseconds(1)}) {
    custodian_ = std::make_unique<Custodian>(std::make_unique<SwitchableToken>(present_), options,
                                             clock_, logger_);
    custodian_->Start();
  }
  void WaitUntilReachable(bool expected) const {
    while (custodian_->Health().reachable.load() != expected) std::this_thread::yield();
  }
  std::shared_ptr<std::atomic<bool>> present_ = std::make_shared<std::atomic<bool>>(true);
  SystemClock clock_;
  NullLogger logger_;
  std::unique_ptr<Custodian> custodian_;
};

TEST_F(CustodianTest, RunsWorkOnOneThreadOfItsOwnAndReturnsItsStatus) {
  Start();
  std::thread::id first;
  std::thread::id second;
  EXPECT_TRUE(custodian_->Run([&](Token&) -> Status {
    first = std::this_thread::get_id();
    return {};
  }));
  const Status failed = custodian_->Run([&](Token&) -> Status {
    second = std::this_thread::get_id();
    return Fail(Code::kConflict, "as told");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "as told");
  EXPECT_EQ(first, second);
  EXPECT_NE(first, std::this_thread::get_id());
}

TEST_F(CustodianTest, WorkMayRunFurtherWorkFromItsOwnThread) {
  Start();
  EXPECT_TRUE(custodian_->Run(
      [&](Token&) { return custodian_->Run([](Token&) -> Status { return {}; }); }));
}

TEST_F(CustodianTest, LosesTheTokenAndFindsItAgainWithANewGeneration) {
  Start();
  const std::uint64_t before = custodian_->Health().generation.load();
  present_->store(false);
  WaitUntilReachable(false);
  const Status refused = custodian_->Run([](Token&) -> Status { return {}; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kTokenLost);
  EXPECT_FALSE(custodian_->ProbeNow());
  present_->store(true);
  WaitUntilReachable(true);
  EXPECT_GT(custodian_->Health().generation.load(), before);
  EXPECT_TRUE(custodian_->Run([](Token&) -> Status { return {}; }));
}

TEST_F(CustodianTest, WorkThatMeetsALossMarksTheTokenLostBeforeTheNextProbe) {
  Start({.probe_period = std::chrono::hours(1)});
  const Status failed = custodian_->Run([&](Token&) -> Status {
    present_->store(false);
    return Fail(Code::kTokenLost, "the token is not reachable");
  });
  EXPECT_FALSE(failed);
  EXPECT_FALSE(custodian_->Health().reachable.load());
}

TEST_F(CustodianTest, RefusesWorkBeyondTheQueuesLimit) {
  Start({.probe_period = std::chrono::hours(1), .queue_limit = 1});
  std::promise<void> entered;
  std::promise<void> leave;
  std::thread blocked([&] {
    EXPECT_TRUE(custodian_->Run([&](Token&) -> Status {
      entered.set_value();
      leave.get_future().wait();
      return {};
    }));
  });
  entered.get_future().wait();
  std::atomic<bool> ran{false};
  custodian_->Post([&](Token&) -> Status {
    ran.store(true);
    return {};
  });
  const Status refused = custodian_->Run([](Token&) -> Status { return {}; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_EQ(refused.error().message, "too many key changes are waiting, try again: at most 1");
  leave.set_value();
  blocked.join();
  custodian_->Stop();
  EXPECT_TRUE(ran.load());
}

TEST_F(CustodianTest, WorkNobodyWaitsForAnyMoreIsNeverRun) {
  Start({.probe_period = std::chrono::hours(1)});
  std::promise<void> entered;
  std::promise<void> leave;
  std::thread blocked([&] {
    EXPECT_TRUE(custodian_->Run([&](Token&) -> Status {
      entered.set_value();
      leave.get_future().wait();
      return {};
    }));
  });
  entered.get_future().wait();
  bool ran = false;
  const Status given_up = custodian_->Run(
      [&](Token&) -> Status {
        ran = true;
        return {};
      },
      std::chrono::milliseconds(1));
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, Code::kUnavailable);
  leave.set_value();
  blocked.join();
  custodian_->Stop();
  EXPECT_FALSE(ran);
}

TEST_F(CustodianTest, RunsPeriodicJobsOnItsThread) {
  std::promise<std::thread::id> ran_on;
  std::atomic<int> runs{0};
  custodian_ = std::make_unique<Custodian>(
      std::make_unique<SwitchableToken>(present_),
      Custodian::Options{.probe_period = std::chrono::milliseconds(1)}, clock_, logger_);
  custodian_->AddPeriodic("test", std::chrono::milliseconds(1), [&](SystemTime) {
    if (runs.fetch_add(1) == 1) ran_on.set_value(std::this_thread::get_id());
  });
  custodian_->Start();
  std::thread::id own;
  EXPECT_TRUE(custodian_->Run([&](Token&) -> Status {
    own = std::this_thread::get_id();
    return {};
  }));
  EXPECT_EQ(ran_on.get_future().get(), own);
}

TEST_F(CustodianTest, WhoAsksForAProbeThatHangsIsToldThatTheTokenIsLost) {
  auto token = std::make_unique<SwitchableToken>(present_);
  std::promise<void> leave;
  token->probing = [left = leave.get_future().share()] { left.wait(); };
  custodian_ =
      std::make_unique<Custodian>(std::move(token),
                                  Custodian::Options{.probe_period = std::chrono::hours(1),
                                                     .probe_wait = std::chrono::milliseconds(1)},
                                  clock_, logger_);
  custodian_->Start();
  for (int i = 0; i < 3; ++i) {
    const Status verdict = custodian_->ProbeNow();
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, Code::kTokenLost);
  }
  EXPECT_LE(custodian_->Waiting(), 1U) << "one queued probe serves all who ask";
  leave.set_value();
}

TEST_F(CustodianTest, AProbeGoesBeforeAFullQueue) {
  auto token = std::make_unique<SwitchableToken>(present_);
  bool probed = false;  // the custodian's thread
  token->probing = [&] { probed = true; };
  custodian_ = std::make_unique<Custodian>(
      std::move(token), Custodian::Options{.probe_period = std::chrono::hours(1), .queue_limit = 1},
      clock_, logger_);
  custodian_->Start();
  std::promise<void> entered;
  std::promise<void> leave;
  custodian_->Post([&](Token&) -> Status {
    entered.set_value();
    leave.get_future().wait();
    return {};
  });
  entered.get_future().wait();
  bool probed_before = false;
  custodian_->Post([&](Token&) -> Status {
    probed_before = probed;
    return {};
  });
  std::thread asking([&] { EXPECT_TRUE(custodian_->ProbeNow()); });
  while (custodian_->Waiting() < 2) std::this_thread::yield();
  leave.set_value();
  asking.join();
  custodian_->Stop();
  EXPECT_TRUE(probed_before);
}

TEST_F(CustodianTest, RefusesWorkOnceStopped) {
  Start();
  custodian_->Stop();
  const Status refused = custodian_->Run([](Token&) -> Status { return {}; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace coffer::keyring
