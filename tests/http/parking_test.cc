#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "coffer/http/server.h"
#include "http/client.h"
#include "http/json_refusals.h"

namespace coffer::http {
namespace {

using namespace std::chrono_literals;

// Parks requests to /park, and answers "full" if it cannot; echoes any other request. Blocks in
// /block until Release().
class ParkingHandler final : public JsonRefusals {
 public:
  void Handle(const Request& request, Response& response) override {
    if (request.path == "/block") {
      std::unique_lock lock(mutex_);
      ++blocked_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return released_; });
    }
    if (request.path != "/park") {
      response.body.append(request.path).append(" ").append(request.body).append(";");
      return;
    }
    if (request.Header("x-known") == "yes") request.memory->SetOwner(7);
    auto parked = request.parking->Park();
    const std::lock_guard lock(mutex_);
    if (parked && begins_) (*parked)->Begin();
    if (parked) {
      parked_.push_back(std::move(*parked));
    } else {
      response.body = parked.error().message + ";";
    }
    changed_.notify_all();
  }
  void OnRefused(const Refusal& refusal) override {
    if (refusal.target == "/memory") throw std::bad_alloc();
    const std::lock_guard lock(mutex_);
    refusals_.push_back(std::to_string(refusal.status) + " " + std::string(refusal.target) + " " +
                        std::string(refusal.remote_address));
  }

  // From now on Begin() is called for each request as soon as it is parked.
  void BeginWhenParked() {
    const std::lock_guard lock(mutex_);
    begins_ = true;
  }
  // The parked request, once there is one.
  std::unique_ptr<Parked> Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !parked_.empty(); });
    auto first = std::move(parked_.front());
    parked_.erase(parked_.begin());
    return first;
  }
  void WaitUntilBlocked(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return blocked_ >= count; });
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  std::vector<std::string> Refusals() {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Parked>> parked_;
  std::vector<std::string> refusals_;
  int blocked_ = 0;
  bool released_ = false;
  bool begins_ = false;
};

Response Saying(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

std::string Post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

class ParkingTest : public ::testing::Test {
 protected:
  ParkingTest() {
    options_.max_parked = 2;
    options_.max_body_bytes = 1024;
    options_.listeners = {{Listener::Kind::kTcp, "127.0.0.1:0"}};
  }
  void Start(std::size_t workers) {
    options_.workers = workers;
    auto started = Server::Start(options_, handler_, logger_);
    ASSERT_TRUE(started);
    server_ = std::move(*started);
    port_ = PortOf(server_->Addresses().front());
  }
  void SetUp() override { Start(1); }
  void TearDown() override {
    handler_.Release();
    server_.reset();
  }

  ParkingHandler handler_;
  NullLogger logger_;
  Options options_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(ParkingTest, AParkedRequestKeepsItsBodyAndIsAnsweredFromAnotherThread) {
  Client client(port_);
  client.Send(Post("/park", "its body"));
  auto parked = handler_.Take();
  std::thread([&] {
    EXPECT_EQ(parked->Asked().path, "/park");
    EXPECT_EQ(parked->Asked().body, "its body");
    EXPECT_EQ(parked->Asked().Header("host"), "a");
    EXPECT_EQ(parked->Asked().remote_address, "127.0.0.1");
    parked->Answer(Saying("late;"));
  }).join();
  EXPECT_TRUE(client.Until("late;").ends_with("\r\n\r\nlate;"));
}

TEST_F(ParkingTest, AChunkedBodyIsParkedToo) {
  Client client(port_);
  client.Send("PUT /park HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n");
  client.Send("3\r\nllo\r\n0\r\n\r\n");
  auto parked = handler_.Take();
  EXPECT_EQ(parked->Asked().body, "hello");
  parked->Answer(Saying("late;"));
  EXPECT_TRUE(client.Until("late;").ends_with("late;"));
}

TEST_F(ParkingTest, LaterRequestsOfTheConnectionWaitBehindAParkedOne) {
  Client client(port_);
  client.Send(Post("/park", "1") + Post("/two", "2") + Post("/park", "3") + Post("/four", "4"));
  auto first = handler_.Take();
  client.Send(Post("/five", "5"));
  first->Answer(Saying("one;"));
  handler_.Take()->Answer(Saying("three;"));
  const std::string all = client.Until("/five 5;");
  std::size_t at = 0;
  for (const char* const part : {"one;", "/two 2;", "three;", "/four 4;", "/five 5;"}) {
    at = all.find(part, at);
    ASSERT_NE(at, std::string::npos) << part << " in " << all;
  }
}

TEST_F(ParkingTest, OthersAreServedByTheSameWorkerMeanwhile) {
  Client waiting(port_);
  waiting.Send(Post("/park", ""));
  auto parked = handler_.Take();
  Client other(port_);
  other.Send(Post("/other", "x"));
  EXPECT_TRUE(other.Until("/other x;").ends_with("/other x;"));
  parked->Answer(Saying("late;"));
  EXPECT_TRUE(waiting.Until("late;").ends_with("late;"));
}

TEST_F(ParkingTest, AnAnswerWhoseClientLeftReachesNobodyElse) {
  for (int i = 0; i < 50; ++i) {
    Client leaving(port_);
    leaving.Send(Post("/park", ""));
    auto parked = handler_.Take();
    leaving.CloseWithReset();
    while (parked->Begin()) std::this_thread::yield();
    Client next(port_);  // likely on the descriptor that became free
    next.Send(Post("/next", "n"));
    parked->Answer(Saying("a stranger's;"));
    EXPECT_TRUE(next.Until("/next n;").ends_with("/next n;"));
    next.Send(Post("/again", "a"));
    const std::string answer = next.Until("/again a;");
    EXPECT_EQ(answer.find("stranger"), std::string::npos) << answer;
  }
}

TEST_F(ParkingTest, AClientThatEndsItsSideIsGoneAndItsPlaceIsFree) {
  options_.max_connections_per_address = 1;
  Start(1);
  Client leaving(port_);
  leaving.Send(Post("/park", "") + Post("/never", "answered"));
  auto parked = handler_.Take();
  EXPECT_TRUE(parked->Begin());
  ::shutdown(leaving.Fd(), SHUT_WR);
  EXPECT_EQ(leaving.UntilClosed(), "");
  EXPECT_FALSE(parked->Begin());
  Client next(port_);
  next.Send(Post("/next", "n"));
  EXPECT_TRUE(next.Until("/next n;").ends_with("/next n;"));
  parked->Answer(Saying("a stranger's;"));
  next.Send(Post("/again", "a"));
  const std::string answer = next.Until("/again a;");
  EXPECT_EQ(answer.find("stranger"), std::string::npos) << answer;
}

TEST_F(ParkingTest, AnUnansweredOneAnswersAnInternalErrorThatSaysNothing) {
  Client client(port_);
  client.Send(Post("/park", ""));
  handler_.Take().reset();
  EXPECT_TRUE(client.Until("}\n").starts_with("HTTP/1.1 500 "));
}

TEST_F(ParkingTest, OnlySoManyAreParkedAndAPlaceIsFreeAgainAfterwards) {
  Client first(port_);
  Client second(port_);
  Client third(port_);
  first.Send(Post("/park", ""));
  auto one = handler_.Take();
  second.Send(Post("/park", ""));
  auto two = handler_.Take();
  third.Send(Post("/park", ""));
  EXPECT_TRUE(third.Until("most 2;").ends_with(
      "\r\n\r\ntoo many requests wait for their turn, try again: at most 2;"));
  one->Answer(Saying("done;"));
  one.reset();
  third.Send(Post("/park", ""));
  handler_.Take()->Answer(Saying("done;"));
  EXPECT_TRUE(third.Until("done;").ends_with("done;"));
}

TEST_F(ParkingTest, MemoryForAShortRequestIsTakenFromItsOwnersShare) {
  options_.max_unknown_bytes = 10'000;
  Start(1);
  Client stranger(port_);
  stranger.Send(Post("/park", ""));
  auto unknown = handler_.Take();
  const Status refused = unknown->Asked().memory->Take(20'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "too many large requests at once, try again: at most 10000 bytes together without a "
            "valid token");
  Client client(port_);
  client.Send("POST /park HTTP/1.1\r\nHost: a\r\nX-Known: yes\r\nContent-Length: 0\r\n\r\n");
  auto known = handler_.Take();
  EXPECT_TRUE(known->Asked().memory->Take(20'000));
  EXPECT_EQ(server_->Counts().buffered_octets, 20'000U);
  known.reset();
  EXPECT_EQ(server_->Counts().buffered_octets, 0U);
}

TEST_F(ParkingTest, DrainWaitsForAParkedRequestAndItsAnswerClosesTheConnection) {
  Client client(port_);
  client.Send(Post("/park", ""));
  auto parked = handler_.Take();
  auto drained = std::async(std::launch::async, [&] { server_->Drain(60s); });
  EXPECT_EQ(drained.wait_for(50ms), std::future_status::timeout);
  parked->Answer(Saying("late;"));
  const std::string answer = client.UntilClosed();
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("late;"));
  drained.get();
}

TEST_F(ParkingTest, AnAnswerMayComeAfterTheServerIsGone) {
  Client client(port_);
  client.Send(Post("/park", ""));
  auto parked = handler_.Take();
  server_.reset();
  EXPECT_FALSE(parked->Begin());
  parked->Answer(Saying("late;"));
  EXPECT_EQ(client.UntilClosed(), "");
}

TEST_F(ParkingTest, WorkForLaterGivesWayToOtherConnections) {
  Client client(port_);
  client.Send(Post("/park", ""));
  const std::shared_ptr<Parked> parked = handler_.Take();
  std::promise<void> asked;
  const auto other_asked = asked.get_future().share();
  parked->Later([parked, other_asked] {
    other_asked.wait();  // meanwhile another one's request comes in
    parked->Later([parked] { parked->Answer(Saying("second slice;")); });
  });
  Client other(port_);
  other.Send(Post("/other", "x"));
  asked.set_value();
  EXPECT_TRUE(other.Until("/other x;").ends_with("/other x;"));
  EXPECT_TRUE(client.Until("second slice;").ends_with("second slice;"));
}

TEST_F(ParkingTest, OnePieceOfWorkIsRunBetweenLooksAtTheSockets) {
  Client one(port_);
  one.Send(Post("/park", ""));
  const std::shared_ptr<Parked> first = handler_.Take();
  Client two(port_);
  two.Send(Post("/park", ""));
  const std::shared_ptr<Parked> second = handler_.Take();
  Client other(port_);
  other.Send(Post("/known", "x"));
  other.Until("/known x;");
  std::string seen;
  std::promise<void> queued;
  first->Later([&, until = queued.get_future().share()] {
    until.wait();
    other.Send(Post("/other", "x"));
    seen += "first ";
  });
  second->Later([&] {
    seen += other.Until("/other x;").ends_with("/other x;") ? "second" : "second unserved";
    second->Answer(Saying("done;"));
  });
  queued.set_value();
  EXPECT_TRUE(two.Until("done;").ends_with("done;"));
  EXPECT_EQ(seen, "first second");
  first->Answer(Saying("done;"));
}

TEST_F(ParkingTest, WorkWhoseWorkerEndsIsDropped) {
  Client client(port_);
  client.Send(Post("/park", ""));
  std::shared_ptr<Parked> parked = handler_.Take();
  Client blocked(port_);
  blocked.Send(Post("/block", ""));
  handler_.WaitUntilBlocked(1);
  const std::weak_ptr<Parked> known = parked;
  parked->Later([parked, this] {
    static_cast<void>(parked);
    handler_.WaitUntilBlocked(1);
  });
  parked.reset();
  handler_.Release();
  server_.reset();
  EXPECT_TRUE(known.expired());
}

TEST_F(ParkingTest, WithoutMemoryBehindAParkedAnswerTheOthersGoOn) {
  Client other(port_);
  other.Send(Post("/other", "x"));
  EXPECT_TRUE(other.Until("/other x;").ends_with("/other x;"));
  Client client(port_);
  client.Send(Post("/park", "") + "GET /memory HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n");
  handler_.Take()->Answer(Saying("late;"));
  EXPECT_EQ(client.UntilClosed(), "");
  other.Send(Post("/other", "y"));
  EXPECT_TRUE(other.Until("/other y;").ends_with("/other y;"));
}

TEST_F(ParkingTest, WorkForLaterThatFindsNoMemoryIsAnsweredAndTheOthersGoOn) {
  Client client(port_);
  client.Send(Post("/park", ""));
  std::shared_ptr<Parked> parked = handler_.Take();
  parked->Later([given = std::move(parked)] { throw std::bad_alloc(); });
  EXPECT_TRUE(client.Until("}\n").starts_with("HTTP/1.1 500 "));
  client.Send(Post("/again", "x"));
  EXPECT_TRUE(client.Until("/again x;").ends_with("/again x;"));
}

TEST_F(ParkingTest, TheHandlerIsToldOfWhatWasRefused) {
  Client malformed(port_);
  malformed.Send("GET /a HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n");
  malformed.UntilClosed();
  Client large(port_);
  large.Send("POST /v1/b?c=d HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n");
  large.UntilClosed();
  Client noise(port_);
  noise.Send("\x16\x03\x01 hello\r\n\r\n");
  noise.UntilClosed();
  EXPECT_EQ(
      handler_.Refusals(),
      (std::vector<std::string>{"400 /a 127.0.0.1", "413 /v1/b?c=d 127.0.0.1", "400  127.0.0.1"}));
}

class ImpatientTest : public ParkingTest {
 protected:
  ImpatientTest() { options_.parked_timeout = 1ms; }
};

TEST_F(ImpatientTest, AClientIsToldThatNothingWasDoneAndNothingIs) {
  Client client(port_);
  client.Send(Post("/park", "") + Post("/never", "read"));
  auto parked = handler_.Take();
  const std::string answer = client.UntilClosed();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(
      answer.ends_with("{\"errors\":[\"request waited too long and was not done: try again\"]}\n"))
      << answer;
  EXPECT_FALSE(parked->Begin());
  parked->Answer(Saying("late;"));
}

TEST_F(ImpatientTest, AClientIsToldThatItsRequestGoesOnAndTheAnswerIsDropped) {
  Client client(port_);
  handler_.BeginWhenParked();
  client.Send(Post("/park", ""));
  auto parked = handler_.Take();
  const std::string answer = client.Until("}\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_TRUE(
      answer.ends_with("[\"request takes too long: it goes on, look whether it was done\"]}\n"))
      << answer;
  parked->Answer(Saying("late;"));  // the connection may still be there
  EXPECT_EQ(client.UntilClosed(), "");
}

TEST_F(ImpatientTest, AClientIsToldThatWorkInPiecesWasGivenUp) {
  handler_.BeginWhenParked();
  Client client(port_);
  client.Send(Post("/park", ""));
  const std::shared_ptr<Parked> parked = handler_.Take();
  parked->Later([] {});
  const std::string answer = client.UntilClosed();
  EXPECT_TRUE(answer.ends_with("[\"request took too long and was given up\"]}\n")) << answer;
  EXPECT_FALSE(parked->Begin());
}

class StalledWorkerTest : public ParkingTest {
 protected:
  void SetUp() override { Start(2); }
};

TEST_F(StalledWorkerTest, ItsClientsAreCutOffAndNewOnesGoToTheOthers) {
  Client stuck(port_);
  stuck.Send(Post("/block", ""));
  handler_.WaitUntilBlocked(1);
  // The workers take connections in turn: the first connection goes to the first worker, so it is
  // known which one hangs.
  server_->SetWorkerStalled(0, true);
  EXPECT_EQ(stuck.UntilClosed(), "");
  for (int i = 0; i < 4; ++i) {
    Client client(port_);
    client.Send(Post("/ok", "x"));
    EXPECT_TRUE(client.Until("/ok x;").ends_with("/ok x;"));
  }
  handler_.Release();
  server_->SetWorkerStalled(0, false);
  for (int i = 0; i < 4; ++i) {
    Client client(port_);
    client.Send(Post("/ok", "y"));
    EXPECT_TRUE(client.Until("/ok y;").ends_with("/ok y;"));
  }
}

TEST_F(StalledWorkerTest, ItsClockSaysSinceWhenItIsAtARequest) {
  const auto clocks = server_->Work();
  ASSERT_EQ(clocks.size(), 2U);
  const auto before = std::chrono::steady_clock::now();
  Client stuck(port_);
  stuck.Send(Post("/block", ""));
  handler_.WaitUntilBlocked(1);
  const auto since = clocks[0]->Since();
  ASSERT_TRUE(since.has_value());
  EXPECT_GE(*since, before);
  handler_.Release();
  EXPECT_TRUE(stuck.Until("/block ;").ends_with("/block ;"));
}

TEST_F(StalledWorkerTest, ANewClientIsTurnedAwayWhereAllAreStalled) {
  server_->SetWorkerStalled(0, true);
  server_->SetWorkerStalled(1, true);
  Client client(port_);
  EXPECT_EQ(client.UntilClosed(), "");
}

}  // namespace
}  // namespace coffer::http
