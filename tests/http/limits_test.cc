// A hostile client can take only so much: connections, time, memory.

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "coffer/http/server.h"
#include "fakes/temporary_directory.h"
#include "http/client.h"
#include "http/connection_limits.h"
#include "http/json_refusals.h"
#include "http/overload.h"

namespace coffer::http {
namespace {

using namespace std::chrono_literals;

// Answers "ADDRESS PORT?;", or kLarge bytes for /large; waits in /slow until Go().
class AddressHandler final : public JsonRefusals {
 public:
  static constexpr std::size_t kLarge = 8UL * 1024 * 1024;
  void Handle(const Request& request, Response& response) override {
    response.owner = OwnerOf(request);
    if (request.path == "/large") {
      response.body.assign(kLarge, 'x');
      return;
    }
    if (request.path == "/slow") {
      slow_.fetch_add(1);
      slow_.notify_all();
      go_.wait(false);
    }
    if (request.path == "/memory") throw std::bad_alloc();
    if (request.path == "/count") {
      response.body = "slow " + std::to_string(slow_.load()) + ";";
      return;
    }
    response.body.append(request.remote_address);
    if (request.unix_client != nullptr) {
      response.body += " uid " + std::to_string(request.unix_client->uid);
    }
    if (request.path == "/take") {
      const std::size_t bytes = std::stoul(std::string(request.Header("x-bytes")));
      response.body += request.memory->Take(bytes) ? " taken" : " full";
    }
    response.body.append(request.body.empty() ? ";" : " body;");
  }
  // The number in X-Owner names the owner. /open takes bodies up to 5,000 bytes; on any other path
  // a body that is too large for an unknown client is answered 403.
  Admission Admit(const Request& head) override {
    admitted_.fetch_add(1);
    Admission admission;
    admission.owner = OwnerOf(head);
    if (head.path == "/open") {
      admission.max_body_bytes = 5000;
    } else if (admission.owner == kUnknownOwner) {
      admission.too_large_status = 403;
      admission.too_large = "who are you";
    }
    return admission;
  }
  int Admitted() const { return admitted_.load(); }
  // Throws bad_alloc when the refused path is /memory; blocks until Go() when it is /slow.
  void OnRefused(const Refusal& refusal) override {
    if (refusal.target == "/memory") throw std::bad_alloc();
    if (refusal.target == "/slow") {
      slow_.fetch_add(1);
      slow_.notify_all();
      go_.wait(false);
    }
    if (std::string_view(refusal.reason) == "client left before its turn") left_.fetch_add(1);
  }
  int Left() const { return left_.load(); }
  void WaitForSlow() const { slow_.wait(0); }
  int SlowSoFar() const { return slow_.load(); }
  void Go() {
    go_.store(true);
    go_.notify_all();
  }

 private:
  static Owner OwnerOf(const Request& request) {
    const std::string text(request.Header("x-owner"));
    return text.empty() ? kUnknownOwner : std::stoul(text);
  }
  std::atomic<int> admitted_{0};
  std::atomic<int> left_{0};
  std::atomic<int> slow_{0};
  std::atomic<bool> go_{false};
};

class LimitsTest : public ::testing::Test {
 protected:
  LimitsTest() { options_.listeners = {{Listener::Kind::kTcp, "127.0.0.1:0"}}; }
  void Start() {
    auto started = Server::Start(options_, handler_, logger_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
    port_ = PortOf(server_->Addresses().front());
  }
  std::string Refusal() {
    const auto started = Server::Start(options_, handler_, logger_);
    return started ? "" : started.error().message;
  }
  Listener& TheListener() { return options_.listeners.front(); }
  static std::string Get(const std::string& fields = "") {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  }
  static bool IsServed(Client& client) {
    client.Send(Get());
    return client.Until(";").ends_with(";");
  }

  AddressHandler handler_;
  NullLogger logger_;
  Options options_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(LimitsTest, OneAddressCannotTakeTheOthersPlaces) {
  options_.max_connections_per_address = 2;
  Start();
  Client first(port_);
  EXPECT_TRUE(IsServed(first));
  {
    Client second(port_);
    EXPECT_TRUE(IsServed(second));
    Client third(port_);
    EXPECT_EQ(third.UntilClosed(), "");
    Client other(port_, "127.0.0.2");
    EXPECT_TRUE(IsServed(other));
  }
  // The server may not have seen yet that the client has gone.
  bool served = false;
  for (int i = 0; i < 1000 && !served; ++i) {
    Client again(port_);
    again.Send(Get());
    served = again.Until(";").ends_with(";");
  }
  EXPECT_TRUE(served);
}

TEST_F(LimitsTest, BeyondAllConnectionsAClientIsClosedAtOnce) {
  options_.max_connections = 2;
  Start();
  Client first(port_);
  Client second(port_, "127.0.0.2");
  EXPECT_TRUE(IsServed(first));
  EXPECT_TRUE(IsServed(second));
  Client third(port_, "127.0.0.3");
  EXPECT_EQ(third.UntilClosed(), "");
  EXPECT_TRUE(IsServed(first));
}

TEST_F(LimitsTest, ASilentClientIsClosed) {
  options_.header_timeout = 1ms;
  Start();
  EXPECT_EQ(Client(port_).UntilClosed(), "");
}

TEST_F(LimitsTest, AClientThatWritesItsHeadSlowlyIsToldSoAndClosed) {
  options_.header_timeout = 1ms;
  Start();
  Client client(port_);
  client.Send("GET / HT");
  const std::string answer = client.UntilClosed();
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 408 ")) << answer;
}

TEST_F(LimitsTest, ASlowBodyIsClosedAndAnIdleConnectionToo) {
  options_.unknown_body_timeout = 1ms;
  Start();
  Client client(port_);
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  const std::string answer = client.UntilClosed();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 "));
  EXPECT_NE(answer.find("request took too long: at most 1 ms for its body"), std::string::npos);
  options_.idle_timeout = 1ms;
  Start();
  Client idle(port_);
  EXPECT_TRUE(IsServed(idle));
  EXPECT_EQ(idle.UntilClosed(), "");
}

TEST_F(LimitsTest, AClientThatDoesNotReadItsAnswerIsClosed) {
  options_.send_timeout = 1ms;
  options_.max_connections_per_address = 1;
  options_.min_rate = 1UL << 30;
  Start();
  Client client(port_);
  client.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  // The client reads only after its place is free again: what it gets then is what the sockets
  // held.
  bool served = false;
  while (!served) {
    Client next(port_);
    next.Send(Get());
    served = next.Until(";").ends_with(";");
  }
  EXPECT_LT(client.UntilClosed().size(), AddressHandler::kLarge);
}

TEST_F(LimitsTest, OneClientsPipelinedRequestsLeaveOthersTheirTurn) {
  options_.workers = 1;
  options_.turn = 0ms;
  Start();
  constexpr int kMany = 30;
  Client other(port_);
  ASSERT_TRUE(IsServed(other));
  std::string many;
  for (int i = 0; i < kMany; ++i) many += "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
  Client greedy(port_);
  greedy.Send(many);
  handler_.WaitForSlow();
  other.Send("GET /count HTTP/1.1\r\nHost: a\r\n\r\n");
  handler_.Go();
  const std::string slow_before = other.Until(";");
  EXPECT_TRUE(slow_before.ends_with("slow 1;") || slow_before.ends_with("slow 2;")) << slow_before;
  std::string answers;
  while (handler_.SlowSoFar() < kMany && answers.size() < kMany)
    answers += greedy.Until(";").back();
  EXPECT_EQ(handler_.SlowSoFar(), kMany);
}

// Heads that announce bodies of a given size, each on a connection of its own: the server lets in
// those for which it has memory.
class BudgetTest : public LimitsTest {
 protected:
  BudgetTest() {
    options_.max_buffered_bytes = 4UL << 20;
    options_.max_unknown_bytes = 100'000;
    options_.max_unknown_body_bytes = 40'000;
  }
  static std::string Head(std::size_t size, const std::string& owner, const std::string& path) {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" +
           (owner.empty() ? "" : "X-Owner: " + owner + "\r\n") +
           "Content-Length: " + std::to_string(size) + "\r\n\r\n";
  }
  // Sends a head alone. Returns "let in" if the server asks for the body, else the status and the
  // body of its refusal.
  std::string Ask(std::size_t size, const std::string& owner, const std::string& path = "/") {
    clients_.push_back(std::make_unique<Client>(port_));
    clients_.back()->Send(Head(size, owner, path));
    const std::string answer = clients_.back()->Until("\r\n\r\n");
    if (answer.starts_with("HTTP/1.1 100 ")) return "let in";
    return answer.substr(9, 4) + clients_.back()->UntilClosed();
  }
  // Reads a large answer.
  static bool GetsAll(const Client& client) {
    std::vector<char> some(AddressHandler::kLarge);
    std::size_t rest = AddressHandler::kLarge;
    while (rest > 0) {
      const ssize_t got = ::recv(client.Fd(), some.data(), some.size(), 0);
      if (got <= 0) return false;
      rest -= std::min(rest, static_cast<std::size_t>(got));
    }
    return true;
  }
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST_F(BudgetTest, StrangersTogetherCannotTakeWhatIsForKnownClients) {
  Start();
  EXPECT_EQ(Ask(40'000, ""), "let in");
  EXPECT_EQ(Ask(40'000, ""), "let in");
  EXPECT_EQ(Ask(40'000, ""),
            "503 {\"errors\":[\"too many large requests at once, try again: at most 100000 bytes "
            "together without a valid token\"]}\n");
  EXPECT_EQ(Ask(900'000, "7"), "let in");
  Client small(port_);
  EXPECT_TRUE(IsServed(small)) << "what needs little is served whatever others hold";
}

TEST_F(BudgetTest, AStrangersLargeBodyIsRefusedAtItsHead) {
  Start();
  EXPECT_EQ(Ask(40'001, ""), "403 {\"errors\":[\"who are you\"]}\n");
  EXPECT_EQ(Ask(5001, "", "/open"),
            "413 {\"errors\":[\"http: request body too large: at most 5000 bytes\"]}\n");
  EXPECT_EQ(Ask(5001, "7", "/open"),
            "413 {\"errors\":[\"http: request body too large: at most 5000 bytes\"]}\n");
  EXPECT_EQ(Ask(5000, "", "/open"), "let in");
}

TEST_F(BudgetTest, AChunkedBodyMeetsTheLimitWhereverItIsCut) {
  Start();
  Client client(port_);
  client.Send("POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 6; ++i) client.Send("3e8\r\n" + std::string(1000, 'x') + "\r\n");
  EXPECT_TRUE(client.UntilClosed().starts_with("HTTP/1.1 413 "));
}

TEST_F(BudgetTest, AnOwnerHasAQuarterAndAlwaysOneRequest) {
  Start();
  EXPECT_EQ(Ask(3'000'000, "7"), "let in");
  EXPECT_EQ(Ask(10'000, "7"),
            "503 {\"errors\":[\"too many large requests at once, try again: at most 1023576 bytes "
            "together for one token\"]}\n");
  EXPECT_EQ(Ask(500'000, "8"), "let in");
  EXPECT_TRUE(Ask(600'000, "8").starts_with("503 "));
  EXPECT_EQ(Ask(400'000, "8"), "let in");
  EXPECT_EQ(Ask(1'000'000, "9"),
            "503 {\"errors\":[\"too many large requests at once, try again: at most 4094304 bytes "
            "together\"]}\n");
  EXPECT_EQ(Ask(10'000, ""), "let in") << "what is for strangers is theirs";
}

TEST_F(BudgetTest, WhatARequestHeldIsGivenBackWhenItsClientLeavesAndWhenItIsAnswered) {
  Start();
  EXPECT_EQ(Ask(3'000'000, "7"), "let in");
  clients_.clear();
  std::string answer;
  for (int i = 0; i < 1000 && answer != "let in"; ++i) answer = Ask(3'000'000, "8");
  ASSERT_EQ(answer, "let in") << "the server may not have seen the first one's going yet";
  clients_.back()->Send(std::string(3'000'000, 'b'));
  EXPECT_TRUE(clients_.back()->Until(";").ends_with(" body;"));
  answer.clear();
  for (int i = 0; i < 1000 && answer != "let in"; ++i) answer = Ask(3'000'000, "9");
  EXPECT_EQ(answer, "let in");
}

TEST_F(BudgetTest, TheMemoryOfAHandlerCounts) {
  Start();
  const auto take = [&](std::size_t bytes, const std::string& owner) {
    Client client(port_);
    client.Send("POST /take HTTP/1.1\r\nHost: a\r\nX-Owner: " + owner +
                "\r\nX-Bytes: " + std::to_string(bytes) + "\r\nContent-Length: 10000\r\n\r\n" +
                std::string(10'000, 'b'));
    return client.Until(";");
  };
  EXPECT_TRUE(take(2'000'000, "7").ends_with(" taken body;"));
  EXPECT_TRUE(take(5'000'000, "8").ends_with(" full body;"));
  // An answer may arrive before the memory of its request is given back.
  std::string again;
  for (int i = 0; i < 1000 && !again.ends_with(" taken body;"); ++i) again = take(2'000'000, "7");
  EXPECT_TRUE(again.ends_with(" taken body;"));
}

TEST_F(BudgetTest, UnreadAnswersTakeTheirOwnersShare) {
  options_.workers = 1;
  options_.max_buffered_bytes = 40UL << 20;
  Start();
  const auto ask = [](Client& client, const std::string& owner) {
    client.Send("GET /large HTTP/1.1\r\nHost: a\r\n" +
                (owner.empty() ? "" : "X-Owner: " + owner + "\r\n") + "\r\n");
  };
  // The only worker has served every earlier request before this one.
  const auto settle = [&] {
    Client last(port_);
    EXPECT_TRUE(IsServed(last));
  };
  Client first(port_);
  ask(first, "7");
  settle();  // nobody reads its answer for now
  Client second(port_);
  ask(second, "7");
  settle();
  Client stranger(port_);
  ask(stranger, "");
  settle();
  EXPECT_LT(server_->Counts().buffered_octets, 2 * AddressHandler::kLarge);
  EXPECT_LT(second.UntilClosed().size(), AddressHandler::kLarge)
      << "two of them are more than a quarter: nobody waits for the reader of the second";
  EXPECT_LT(stranger.UntilClosed().size(), AddressHandler::kLarge);
  Client other(port_);
  ask(other, "8");
  EXPECT_TRUE(GetsAll(other));
  EXPECT_TRUE(GetsAll(first));
}

TEST_F(BudgetTest, ASmallRequestIsNotAskedAbout) {
  Start();
  Client client(port_);
  EXPECT_TRUE(IsServed(client));
  EXPECT_EQ(handler_.Admitted(), 0);
  EXPECT_EQ(Ask(5000, "7"), "let in");
  EXPECT_EQ(handler_.Admitted(), 1);
}

TEST_F(BudgetTest, AStrangersBodyHasItsTimeHoweverMuchOfItCame) {
  options_.unknown_body_timeout = 1ms;
  Start();
  EXPECT_EQ(Ask(40'000, ""), "let in");
  clients_.back()->Send(std::string(39'000, 'b'));
  EXPECT_TRUE(clients_.back()->UntilClosed().starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(Ask(40'000, "7"), "let in");
  clients_.back()->Send(std::string(40'000, 'b'));
  EXPECT_TRUE(clients_.back()->Until(";").ends_with(" body;"));
}

TEST_F(LimitsTest, WithoutMemoryForOneConnectionTheOthersGoOn) {
  options_.workers = 1;
  Start();
  Client other(port_);
  EXPECT_TRUE(IsServed(other));
  Client client(port_);
  client.Send("GET /memory HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.UntilClosed(), "");
  EXPECT_TRUE(IsServed(other));
}

TEST_F(LimitsTest, WithoutMemoryToRefuseALateClientTheOthersGoOn) {
  options_.workers = 1;
  options_.unknown_body_timeout = 1ms;
  Start();
  Client other(port_);
  EXPECT_TRUE(IsServed(other));
  Client late(port_);
  late.Send("POST /memory HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(late.UntilClosed(), "");
  EXPECT_TRUE(IsServed(other));
}

TEST_F(LimitsTest, PlainHttpStaysOnLoopbackUnlessItIsAskedFor) {
  TheListener().address = "0.0.0.0:0";
  EXPECT_TRUE(Refusal().starts_with("address 0.0.0.0:0 is not a loopback address")) << Refusal();
  TheListener().address = "[::]:0";
  EXPECT_NE(Refusal(), "");
  TheListener().address = "0.0.0.0:0";
  TheListener().plain_anywhere = true;
  EXPECT_EQ(Refusal(), "");
}

TEST_F(LimitsTest, AUnixSocketSaysWhoItsClientIs) {
  const fakes::TemporaryDirectory directory;
  options_.listeners = {{Listener::Kind::kUnix, directory.Path() / "s"}};
  auto started = Server::Start(options_, handler_, logger_);
  ASSERT_TRUE(started);
  Client client(options_.listeners.front().address);
  client.Send(Get());
  EXPECT_TRUE(client.Until(";").ends_with("@ uid " + std::to_string(::getuid()) + ";"));
}

TEST_F(LimitsTest, ForwardedAddressesAreBelievedOfTrustedProxiesOnly) {
  TheListener().trusted_proxies = {"127.0.0.9"};
  Start();
  Client proxy(port_, "127.0.0.9");
  proxy.Send(Get("X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-For: 203.0.113.9\r\n"));
  EXPECT_TRUE(proxy.Until(";").ends_with("\r\n203.0.113.9;"));
  proxy.Send(Get());
  EXPECT_TRUE(proxy.Until(";").ends_with("\r\n127.0.0.9;"));
  proxy.Send(Get("X-Forwarded-For: unknown\r\n"));
  EXPECT_TRUE(proxy.UntilClosed().starts_with("HTTP/1.1 400 "));
  Client other(port_);
  other.Send(Get("X-Forwarded-For: 203.0.113.9\r\n"));
  EXPECT_TRUE(other.Until(";").ends_with("\r\n127.0.0.1;"));
}

TEST_F(LimitsTest, AProxyHeaderNamesTheClientAndItsAddressCounts) {
  TheListener().trusted_proxies = {"127.0.0.9"};
  TheListener().proxy_protocol = true;
  options_.max_connections_per_address = 1;
  Start();
  const std::string header = "PROXY TCP4 203.0.113.9 10.0.0.1 4660 80\r\n";
  Client first(port_, "127.0.0.9");
  first.Send(header + Get());
  EXPECT_TRUE(first.Until(";").ends_with("\r\n203.0.113.9;"));
  Client second(port_, "127.0.0.9");
  second.Send(header);
  EXPECT_EQ(second.UntilClosed(), "");
  Client third(port_, "127.0.0.9");
  for (const char c : "PROXY TCP4 203.0.113.10 10.0.0.1 4660 80\r\n" + Get()) third.Send({&c, 1});
  EXPECT_TRUE(third.Until(";").ends_with("\r\n203.0.113.10;"));
  Client without(port_, "127.0.0.9");
  without.Send(Get());
  EXPECT_EQ(without.UntilClosed(), "");
  Client stranger(port_);
  EXPECT_EQ(stranger.UntilClosed(), "");
  TheListener().trusted_proxies.clear();
  EXPECT_NE(Refusal(), "");
}

TEST(ConnectionLimits, ALeaseThatIsNamedLaterCountsFromThenOn) {
  const auto limits = std::make_shared<ConnectionLimits>(10, 1);
  auto lease = limits->Enter("");
  ASSERT_TRUE(lease);
  EXPECT_TRUE(limits->Name(*lease, "a"));
  EXPECT_FALSE(limits->Enter("a"));
  EXPECT_EQ(limits->Open(), 1U);
  lease.reset();
  EXPECT_EQ(limits->Open(), 0U);
  EXPECT_TRUE(limits->Enter("a"));
}

TEST(ConnectionLimits, CountsAnIpv6NetworkAsOneClient) {
  const auto limits = std::make_shared<ConnectionLimits>(10, 2);
  const auto first = limits->Enter("2001:db8:0:1::1");
  auto second = limits->Enter("");
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(limits->Name(*second, "2001:db8:0:1:ffff::2"));
  EXPECT_FALSE(limits->Enter("2001:db8:0:1:2:3:4:5"));
  EXPECT_TRUE(limits->Enter("2001:db8:0:2::1"));
  second.reset();
  EXPECT_TRUE(limits->Enter("2001:db8:0:1:2:3:4:5"));
}

TEST(ConnectionLimits, CountsAMappedIpv4AddressAsThatAddress) {
  const auto limits = std::make_shared<ConnectionLimits>(10, 1);
  const auto first = limits->Enter("::ffff:192.0.2.1");
  ASSERT_TRUE(first);
  EXPECT_FALSE(limits->Enter("192.0.2.1"));
  EXPECT_TRUE(limits->Enter("192.0.2.2"));
}

TEST(OverloadGuard, TellsWhoHasWaitedLongerThanTheBound) {
  const OverloadGuard guard(1000ms);
  const OverloadGuard::Steady::time_point received{1h};
  EXPECT_FALSE(guard.TooLate(received, received));
  EXPECT_FALSE(guard.TooLate(received, received + 1000ms));
  EXPECT_TRUE(guard.TooLate(received, received + 1000ms + 1ns));
  EXPECT_FALSE(guard.Long(received, received + 500ms));
  EXPECT_TRUE(guard.Long(received, received + 500ms + 1ns));
}

TEST_F(LimitsTest, ARequestThatWaitedTooLongIsToldToComeBackOnTheSameConnection) {
  options_.queue_timeout = 0ms;  // every one
  Start();
  Client client(port_);
  for (int i = 0; i < 2; ++i) {
    client.Send(Get());
    const std::string answer = client.Until("\n");
    const std::string all = answer + client.Until("}\n");
    EXPECT_TRUE(all.starts_with("HTTP/1.1 503 ")) << all;
    EXPECT_NE(all.find("Retry-After: 1\r\n"), std::string::npos);
    EXPECT_NE(all.find("server is overloaded, try again: at most 0 ms of waiting"),
              std::string::npos);
    EXPECT_EQ(all.find("Connection: close"), std::string::npos);
  }
}

TEST_F(LimitsTest, WhoHasLeftAfterLongWaitingIsNotServed) {
  options_.queue_timeout = 0ms;  // any waiting is long
  options_.workers = 1;
  Start();
  Client holding(port_);
  holding.Send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  handler_.WaitForSlow();
  Client client(port_);  // all that it does is done before the worker looks
  client.Send(Get());
  ::shutdown(client.Fd(), SHUT_WR);
  handler_.Go();
  EXPECT_EQ(client.UntilClosed(), "");
  EXPECT_EQ(handler_.Left(), 1);
}

TEST_F(LimitsTest, ClientsBehindALongRequestAreAllServed) {
  options_.workers = 1;
  options_.turn = 0ms;
  Start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    ASSERT_TRUE(IsServed(*clients.back()));
  }
  Client holding(port_);
  holding.Send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  handler_.WaitForSlow();
  for (const auto& client : clients) client->Send(Get() + Get());
  handler_.Go();
  for (const auto& client : clients) {
    EXPECT_TRUE(client->Until(";").ends_with(";"));
    EXPECT_TRUE(client->Until(";").ends_with(";"));
  }
}

}  // namespace
}  // namespace coffer::http
