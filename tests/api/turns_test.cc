// A request that waits ends exactly once, whatever happens meanwhile: many thousand interleavings
// of steps, clients that leave, queues that are full, a token that is lost and a server that ends.

#include "api/turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace coffer::api {
namespace {

using Work = std::function<void()>;

// Lanes that are told apart by their addresses and never used.
template <int kNumber>
keyring::Lane* LaneWithoutToken() {
  alignas(keyring::Lane) static std::array<std::byte, sizeof(keyring::Lane)> nowhere;
  return reinterpret_cast<keyring::Lane*>(nowhere.data());
}
keyring::Lane* const kWorkers = LaneWithoutToken<0>();
keyring::Lane* const kCustodians = LaneWithoutToken<1>();

// The events in the life of one request, counted.
struct Fate {
  int steps = 0;
  int moved = 0;
  int ended = 0;
  int taken = 0;
  int answers = 0;
  bool given_up = false;
  bool client_gone = false;
  int steps_when_gone = -1;
  std::string error;
};

// A request whose steps are drawn before it begins.
class Scripted final : public Steps {
 public:
  Scripted(Fate& fate, std::deque<Next> script, const bool& token_lost)
      : fate_(fate), script_(std::move(script)), token_lost_(token_lost) {}

  Next Step(keyring::Lane* lane) override {
    EXPECT_EQ(fate_.ended, 0) << "a step behind the end";
    EXPECT_EQ(lane, on_custodian_ ? kCustodians : kWorkers) << "another thread's lane";
    EXPECT_TRUE(fate_.steps == 0 || fate_.moved == 1 || !may_move_) << "its buffers are gone";
    ++fate_.steps;
    const bool lost = token_lost_ && on_custodian_;
    const Next next = lost || script_.empty() ? Next::kAnswer : script_.front();
    if (!script_.empty()) script_.pop_front();
    on_custodian_ = next == Next::kCustodian;
    if (next == Next::kAnswer) ++fate_.ended;
    return next;
  }
  Status MoveTo(const http::Request&) override {
    EXPECT_EQ(fate_.steps, 1);
    ++fate_.moved;
    if (no_room_) return Fail(Code::kUnavailable, "no room");
    return {};
  }
  void HasNoRoom() { no_room_ = true; }
  void GiveUp(const Error& why, bool) override {
    ++fate_.ended;
    fate_.given_up = true;
    fate_.error = why.message;
  }
  http::Response TakeAnswer() override {
    EXPECT_EQ(fate_.ended, 1);
    ++fate_.taken;
    return {};
  }
  void WillWait() { may_move_ = false; }

 private:
  Fate& fate_;
  std::deque<Next> script_;
  const bool& token_lost_;
  bool on_custodian_ = false;
  bool may_move_ = true;
  bool no_room_ = false;
};

// A model of a server: two queues, and everything that may happen to them.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {}

  bool Chance(unsigned one_in) { return random_() % one_in == 0; }
  std::size_t Below(std::size_t bound) { return random_() % bound; }

  void Run() {
    fates_.resize(1 + Below(6));
    std::size_t begun = 0;
    const bool ends_early = Chance(3);
    for (int moment = 0; moment < 200; ++moment) {
      if (begun < fates_.size() && Chance(2)) Begin(fates_[begun++]);
      if (Chance(2)) RunOne(custodian_);
      if (Chance(2)) RunOne(worker_);
      if (Chance(20)) token_lost_ = !token_lost_;
      if (Chance(15)) LoseClient(fates_[Below(fates_.size())]);
      if (ends_early && Chance(60)) break;
    }
    End();
    fates_.resize(begun);
  }
  const std::deque<Fate>& Fates() const { return fates_; }
  bool NothingLeft() const {
    return std::ranges::all_of(alive_, [](const auto& steps) { return steps.expired(); });
  }

 private:
  class Car final : public http::Parked {
   public:
    Car(World& world, Fate& fate) : world_(world), fate_(fate) {}
    http::Request& Asked() override { return request_; }
    bool Begin() override { return !fate_.client_gone; }
    void Later(Work work) override {
      if (world_.worker_ended_) return;
      world_.worker_.push_back(std::move(work));
    }
    void Answer(http::Response) override { ++fate_.answers; }

   private:
    World& world_;
    Fate& fate_;
    http::Request request_;
  };
  class Lot final : public http::Parking {
   public:
    Lot(World& world, Fate& fate) : world_(world), fate_(fate) {}
    Result<std::unique_ptr<http::Parked>> Park() override {
      if (world_.Chance(10)) return Fail(Code::kUnavailable, "no place");
      return std::make_unique<Car>(world_, fate_);
    }

   private:
    World& world_;
    Fate& fate_;
  };

  void Begin(Fate& fate) {
    std::deque<Next> script;
    for (std::size_t i = Below(6); i > 0; --i) {
      script.push_back(Chance(2) ? Next::kCustodian : Next::kWorker);
    }
    auto steps = std::make_shared<Scripted>(fate, std::move(script), token_lost_);
    alive_.push_back(steps);
    if (Chance(15)) steps->HasNoRoom();
    Lot lot(*this, fate);
    if (turns_.Begin(steps, kWorkers, &lot)) {
      static_cast<void>(steps->TakeAnswer());
      ++fate.answers;
    }
  }
  static void RunOne(std::deque<Work>& queue) {
    if (queue.empty()) return;
    const Work work = std::move(queue.front());
    queue.pop_front();
    work();
  }
  static void LoseClient(Fate& fate) {
    if (fate.client_gone) return;
    fate.client_gone = true;
    fate.steps_when_gone = fate.steps;
  }
  // The workers end first and drop what they have; the custodian finishes its queue.
  void End() {
    worker_ended_ = true;
    std::deque<Work> dropped;
    dropped.swap(worker_);
    dropped.clear();
    while (!custodian_.empty()) RunOne(custodian_);
    stopped_ = true;
  }

  std::mt19937 random_;
  bool token_lost_ = false;
  bool stopped_ = false;
  bool worker_ended_ = false;
  std::deque<Fate> fates_;
  std::vector<std::weak_ptr<Steps>> alive_;
  std::deque<Work> custodian_;
  std::deque<Work> worker_;
  const Turns turns_{
      {[this](Turns::Custodian::Work work) -> Status {
         if (stopped_ || Chance(12)) return Fail(Code::kUnavailable, "queue full");
         custodian_.emplace_back([work = std::move(work)] { work(kCustodians); });
         return {};
       },
       [](const Turns::Custodian::Work&) -> Status { return Fail(Code::kInternal, ""); }}};
};

TEST(Turns, EndEachRequestExactlyOnceWhateverHappens) {
  std::size_t given_up = 0;
  std::size_t many_turns = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    World world(seed);
    world.Run();
    for (const Fate& fate : world.Fates()) {
      ASSERT_EQ(fate.ended, 1) << "seed " << seed;
      ASSERT_EQ(fate.taken, 1) << "seed " << seed;
      ASSERT_EQ(fate.answers, 1) << "seed " << seed;
      ASSERT_LE(fate.moved, 1) << "seed " << seed;
      // The request of a client that left goes no further than the step that it was at.
      if (fate.client_gone && fate.steps_when_gone > 0) {
        ASSERT_EQ(fate.steps, fate.steps_when_gone) << "seed " << seed;
      }
      given_up += fate.given_up ? 1 : 0;
      many_turns += fate.steps > 3 ? 1 : 0;
    }
    ASSERT_TRUE(world.NothingLeft()) << "seed " << seed;
  }
  EXPECT_GT(given_up, 1'000U);
  EXPECT_GT(many_turns, 1'000U);
}

TEST(Turns, RunWithoutParkingWhileTheCallerWaits) {
  Fate fate;
  const bool never = false;
  int at_custodian = 0;
  const Turns turns(
      {[](const Turns::Custodian::Work&) -> Status { return Fail(Code::kInternal, ""); },
       [&](const Turns::Custodian::Work& work) -> Status {
         ++at_custodian;
         work(kCustodians);
         return {};
       }});
  const auto steps = std::make_shared<Scripted>(
      fate, std::deque<Next>{Next::kCustodian, Next::kWorker, Next::kCustodian}, never);
  steps->WillWait();
  EXPECT_TRUE(turns.Begin(steps, kWorkers, nullptr));
  EXPECT_EQ(fate.steps, 4);
  EXPECT_EQ(fate.ended, 1);
  EXPECT_EQ(fate.moved, 0);
  EXPECT_EQ(at_custodian, 2);
}

TEST(Turns, SayWhyTheCustodianDidNotTakeIt) {
  Fate fate;
  const bool never = false;
  const Turns turns({[](const Turns::Custodian::Work&) -> Status { return {}; },
                     [](const Turns::Custodian::Work&) -> Status {
                       return Fail(Code::kTokenLost, "token lost");
                     }});
  const auto steps = std::make_shared<Scripted>(fate, std::deque<Next>{Next::kCustodian}, never);
  EXPECT_TRUE(turns.Begin(steps, kWorkers, nullptr));
  EXPECT_EQ(fate.ended, 1);
  EXPECT_EQ(fate.error, "token lost");
}

}  // namespace
}  // namespace coffer::api
