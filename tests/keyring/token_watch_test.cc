#include "coffer/keyring/token_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <utility>

namespace coffer::keyring {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

class TokenWatchTest : public ::testing::Test {
 protected:
  TokenWatchTest() {
    watch_.Add("first", Instance(0));
    watch_.Add("second", Instance(1));
  }
  TokenWatch::CallSince Instance(std::size_t index) {
    return [this, index] { return since_[index]; };
  }
  TokenWatch::Reactions Reactions() {
    return {
        [this](std::size_t instance, bool stalled) { changes_.emplace_back(instance, stalled); },
        [this](std::size_t instance) { hung_.push_back(instance); }};
  }
  const Steady::time_point begin_ = Steady::time_point(seconds(1000));
  std::optional<Steady::time_point> since_[2];
  std::vector<std::pair<std::size_t, bool>> changes_;
  std::vector<std::size_t> hung_;
  NullLogger logger_;
  TokenWatch watch_{{}, Reactions(), logger_};
};

using Changes = std::vector<std::pair<std::size_t, bool>>;

TEST_F(TokenWatchTest, LeavesShortCallsAlone) {
  since_[0] = begin_;
  watch_.Check(begin_ + milliseconds(4999));
  since_[0] = begin_ + milliseconds(4999);
  watch_.Check(begin_ + milliseconds(9000));
  EXPECT_FALSE(watch_.AnyStalled());
  EXPECT_TRUE(changes_.empty());
}

TEST_F(TokenWatchTest, CallsOnlyTheInstanceStalledWhoseCallDoesNotReturn) {
  since_[0] = begin_ + seconds(4);
  since_[1] = begin_;
  watch_.Check(begin_ + seconds(5));
  watch_.Check(begin_ + seconds(6));
  EXPECT_TRUE(watch_.AnyStalled());
  EXPECT_EQ(changes_, (Changes{{1, true}}));
  EXPECT_TRUE(hung_.empty());
}

TEST_F(TokenWatchTest, TakesAnInstanceBackWhoseCallReturnsAfterAll) {
  since_[1] = begin_;
  watch_.Check(begin_ + seconds(6));
  since_[1].reset();
  watch_.Check(begin_ + seconds(7));
  EXPECT_FALSE(watch_.AnyStalled());
  EXPECT_EQ(changes_, (Changes{{1, true}, {1, false}}));
}

TEST_F(TokenWatchTest, GivesUpOnceOnACallThatHangs) {
  since_[0] = begin_;
  watch_.Check(begin_ + milliseconds(9999));
  EXPECT_TRUE(hung_.empty());
  watch_.Check(begin_ + seconds(10));
  watch_.Check(begin_ + seconds(11));
  EXPECT_EQ(hung_, (std::vector<std::size_t>{0}));
}

TEST_F(TokenWatchTest, WaitsLongerForACallThatBeginsInTheFuture) {
  since_[0] = begin_ + seconds(60);  // a key pair's allowance
  watch_.Check(begin_ + seconds(64));
  EXPECT_FALSE(watch_.AnyStalled());
  watch_.Check(begin_ + seconds(65));
  EXPECT_TRUE(watch_.AnyStalled());
}

TEST(TokenWatchThread, LooksByItself) {
  NullLogger logger;
  std::promise<std::size_t> hung;
  TokenWatch watch(
      {.wait = seconds(5), .hang = seconds(10), .period = milliseconds(1)},
      {[](std::size_t, bool) {}, [&](std::size_t instance) { hung.set_value(instance); }}, logger);
  watch.Start();
  watch.Add("added later", [] { return Steady::now() - seconds(60); });
  EXPECT_EQ(hung.get_future().get(), 0U);
  EXPECT_TRUE(watch.AnyStalled());
}

}  // namespace
}  // namespace coffer::keyring
