#include "coffer/base/stall_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coffer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

class StallWatchTest : public ::testing::Test {
 protected:
  StallWatchTest() {
    for (std::size_t i = 0; i < 2; ++i) watch_.Add({"", "a call", Since(i), {}, i});
  }
  std::function<std::optional<Steady::time_point>()> Since(std::size_t index) {
    return [this, index] { return since_[index]; };
  }
  StallWatch::Reactions Reactions() {
    return {[this](const StallWatch::Subject& subject, bool stalled) {
              changes_.emplace_back(*subject.worker, stalled);
            },
            [this](const StallWatch::Subject& subject) { hung_.push_back(*subject.worker); }};
  }
  const Steady::time_point begin_ = Steady::time_point(seconds(1000));
  std::optional<Steady::time_point> since_[3];
  std::vector<std::pair<std::size_t, bool>> changes_;
  std::vector<std::size_t> hung_;
  NullLogger logger_;
  StallWatch watch_{Reactions(), logger_};
};

using Changes = std::vector<std::pair<std::size_t, bool>>;

TEST_F(StallWatchTest, LeavesShortCallsAlone) {
  since_[0] = begin_;
  watch_.Check(begin_ + milliseconds(4999));
  since_[0] = begin_ + milliseconds(4999);
  watch_.Check(begin_ + milliseconds(9000));
  EXPECT_FALSE(watch_.AnyStalled());
  EXPECT_TRUE(changes_.empty());
}

TEST_F(StallWatchTest, CallsOnlyTheInstanceStalledWhoseCallDoesNotReturn) {
  since_[0] = begin_ + seconds(4);
  since_[1] = begin_;
  watch_.Check(begin_ + seconds(5));
  watch_.Check(begin_ + seconds(6));
  EXPECT_TRUE(watch_.AnyStalled());
  EXPECT_EQ(changes_, (Changes{{1, true}}));
  EXPECT_TRUE(hung_.empty());
}

TEST_F(StallWatchTest, TakesAnInstanceBackWhoseCallReturnsAfterAll) {
  since_[1] = begin_;
  watch_.Check(begin_ + seconds(6));
  since_[1].reset();
  watch_.Check(begin_ + seconds(7));
  EXPECT_FALSE(watch_.AnyStalled());
  EXPECT_EQ(changes_, (Changes{{1, true}, {1, false}}));
}

TEST_F(StallWatchTest, GivesUpOnceOnACallThatHangs) {
  since_[0] = begin_;
  watch_.Check(begin_ + milliseconds(9999));
  EXPECT_TRUE(hung_.empty());
  watch_.Check(begin_ + seconds(10));
  watch_.Check(begin_ + seconds(11));
  EXPECT_EQ(hung_, (std::vector<std::size_t>{0}));
}

TEST_F(StallWatchTest, WaitsLongerForACallThatBeginsInTheFuture) {
  since_[0] = begin_ + seconds(60);  // a key pair's allowance
  watch_.Check(begin_ + seconds(64));
  EXPECT_FALSE(watch_.AnyStalled());
  watch_.Check(begin_ + seconds(65));
  EXPECT_TRUE(watch_.AnyStalled());
}

TEST_F(StallWatchTest, EachSubjectHasItsOwnLimits) {
  watch_.Add({"", "a request", Since(2), {.wait = seconds(20), .hang = std::nullopt}, 2});
  since_[2] = begin_;
  watch_.Check(begin_ + seconds(19));
  EXPECT_FALSE(watch_.AnyStalled());
  for (int i = 20; i < 3600; ++i) watch_.Check(begin_ + seconds(i));
  EXPECT_TRUE(watch_.AnyStalled());
  EXPECT_TRUE(hung_.empty());
}

TEST_F(StallWatchTest, TimeInWhichTheWatchDidNotRunCountsForNobody) {
  since_[0] = begin_;
  since_[1] = begin_ + seconds(30);  // in the midst of it
  watch_.Check(begin_ + seconds(1));
  for (int i = 60; i < 65; ++i) watch_.Check(begin_ + seconds(i));
  EXPECT_FALSE(watch_.AnyStalled());
  watch_.Check(begin_ + seconds(65));
  EXPECT_TRUE(watch_.AnyStalled());
  EXPECT_TRUE(hung_.empty());
  for (int i = 66; i <= 70; ++i) watch_.Check(begin_ + seconds(i));
  EXPECT_EQ(hung_, (std::vector<std::size_t>{0, 1}));
}

TEST_F(StallWatchTest, InTheEndNothingIsWaitedForWithoutALimit) {
  watch_.Add({"", "a request", Since(2), {.wait = seconds(20), .hang = std::nullopt}, 2});
  watch_.Finish(seconds(3), begin_);
  since_[0] = begin_;
  since_[2] = begin_ - seconds(60);  // a long time at work: it has three seconds, too
  watch_.Check(begin_ + milliseconds(2999));
  EXPECT_TRUE(hung_.empty());
  watch_.Check(begin_ + seconds(3));
  EXPECT_EQ(hung_, (std::vector<std::size_t>{2}));  // the others have limits of their own
}

TEST(WorkClockTest, TellsWhenTheWorkBegan) {
  WorkClock clock;
  EXPECT_EQ(clock.Since(), std::nullopt);
  const auto now = Steady::now();
  clock.Begin(now);
  EXPECT_EQ(clock.Since(), now);
  clock.End();
  EXPECT_EQ(clock.Since(), std::nullopt);
}

TEST(StallWatchThread, LooksByItself) {
  NullLogger logger;
  std::promise<std::string> hung;
  StallWatch watch({[](const StallWatch::Subject&, bool) {},
                    [&](const StallWatch::Subject& subject) { hung.set_value(subject.name); }},
                   logger, milliseconds(1));
  watch.Start();
  watch.Add({"added later", "a call", [] { return Steady::now() - seconds(60); }});
  EXPECT_EQ(hung.get_future().get(), "added later");
  EXPECT_TRUE(watch.AnyStalled());
}

}  // namespace
}  // namespace coffer
