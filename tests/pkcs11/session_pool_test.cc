#include "coffer/pkcs11/session_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class SessionPoolTest : public TokenTest {
 protected:
  SessionPool NewPool(std::size_t max) {
    return SessionPool(*module_, *module_->FindToken(token_.Label()), max);
  }
};

TEST_F(SessionPoolTest, LendsNoMoreThanItsBound) {
  SessionPool pool = NewPool(2);
  const auto first = pool.Borrow(milliseconds(0));
  std::optional second(pool.Borrow(milliseconds(0)));
  ASSERT_TRUE(Succeeds(first));
  ASSERT_TRUE(Succeeds(*second));
  EXPECT_TRUE(FailsWith(pool.Borrow(milliseconds(1)), Code::kUnavailable));
  second.reset();
  EXPECT_TRUE(Succeeds(pool.Borrow(milliseconds(0))));
}

TEST_F(SessionPoolTest, WakesAWaiterWhenASessionComesBack) {
  SessionPool pool = NewPool(1);
  std::optional loan(pool.Borrow(milliseconds(0)));
  ASSERT_TRUE(Succeeds(*loan));
  std::promise<void> waiting;
  auto waiter = std::async(std::launch::async, [&] {
    waiting.set_value();
    return pool.Borrow(minutes(1)).has_value();
  });
  waiting.get_future().wait();
  loan.reset();
  EXPECT_TRUE(waiter.get());
}

TEST_F(SessionPoolTest, LendsTheSameSessionAgain) {
  SessionPool pool = NewPool(1);
  ObjectHandle made = kNoObject;
  {
    const auto loan = pool.Borrow(milliseconds(0));
    made = *(*loan)->GenerateKey(MechanismType::kAesKeyGen, DataKey());
  }
  const auto again = pool.Borrow(milliseconds(0));
  // A session object lives only as long as the session that made it.
  EXPECT_TRUE(Succeeds((*again)->GetUlong(made, AttributeType::kValueLen)));
}

TEST_F(SessionPoolTest, ReplacesTheSessionsThatAReinitializeKilled) {
  SessionPool pool = NewPool(1);
  { ASSERT_TRUE(Succeeds(pool.Borrow(milliseconds(0)))); }
  ASSERT_TRUE(Succeeds(module_->Reinitialize()));
  session_ = token_.OpenUserSession(*module_);
  const auto loan = pool.Borrow(milliseconds(0));
  ASSERT_TRUE(Succeeds(loan));
  EXPECT_TRUE(Succeeds((*loan)->GenerateKey(MechanismType::kAesKeyGen, DataKey())));
}

TEST_F(SessionPoolTest, TakesBackASessionThatOutlivedAReinitialize) {
  SessionPool pool = NewPool(1);
  {
    const auto loan = pool.Borrow(milliseconds(0));
    ASSERT_TRUE(Succeeds(module_->Reinitialize()));
    EXPECT_TRUE((*loan)->Broken());
  }
  session_ = token_.OpenUserSession(*module_);
  EXPECT_FALSE((*pool.Borrow(milliseconds(0)))->Broken());
}

TEST_F(SessionPoolTest, FreesTheSlotOfASessionThatCouldNotBeOpened) {
  SessionPool pool(*module_, /*slot=*/987'654, 1);
  EXPECT_TRUE(FailsWith(pool.Borrow(milliseconds(0)), Code::kTokenLost));
  EXPECT_TRUE(FailsWith(pool.Borrow(milliseconds(0)), Code::kTokenLost));  // not kUnavailable
}

TEST_F(SessionPoolTest, ServesMoreThreadsThanItHasSessions) {
  SessionPool pool = NewPool(2);
  const ObjectHandle key = NewMacKey();
  std::atomic<int> signed_count{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        const auto loan = pool.Borrow(minutes(1));
        std::array<std::uint8_t, 32> mac{};
        if (loan && (*loan)->Sign(MechanismType::kSha256Hmac, key, AsBytes("m"), mac)) {
          ++signed_count;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(signed_count, 800);
}

}  // namespace
}  // namespace coffer::pkcs11
