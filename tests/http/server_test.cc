#include "coffer/http/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "fakes/temporary_directory.h"
#include "http/client.h"
#include "http/json_refusals.h"
#include "http/response_text.h"

namespace coffer::http {
namespace {

constexpr std::size_t kLarge = 100'000;

// Answers "METHOD PATH BODY", or for /large that many bytes.
class Echo final : public JsonRefusals {
 public:
  void Handle(const Request& request, Response& response) override {
    if (request.path == "/large") {
      response.body.assign(kLarge, 'x');
      return;
    }
    response.body.append(MethodName(request.method)).append(" ").append(request.path);
    response.body.append(" ").append(request.body);
  }
};

class HttpServer : public ::testing::Test {
 protected:
  HttpServer() {
    options_.max_body_bytes = 64;
    options_.listeners = {{Listener::Kind::kTcp, "127.0.0.1:0"}};
    auto started = Server::Start(options_, echo_, logger_);
    if (!started) return;
    server_ = std::move(*started);
    const std::string& address = server_->Addresses().front();
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  void SetUp() override { ASSERT_NE(server_, nullptr); }

  Echo echo_;
  NullLogger logger_;
  Options options_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

// A handler that blocks in its first request to /held.
class Held final : public JsonRefusals {
 public:
  void Handle(const Request& request, Response& response) override {
    std::unique_lock lock(mutex_);
    response.body = "answer";
    if (request.path != "/held") return;
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return let_go_; });
  }
  void WaitUntilHeld() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_; });
  }
  void LetGo() {
    const std::lock_guard lock(mutex_);
    let_go_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool let_go_ = false;
};

std::size_t CountOf(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

bool Connects(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  ::close(fd);
  return connected;
}

TEST(HttpDrain, AnswersWhatHasArrived) {
  Held handler;
  NullLogger logger;
  Options options;
  options.workers = 1;
  options.listeners = {{Listener::Kind::kTcp, "127.0.0.1:0"}};
  const auto server = Server::Start(options, handler, logger).value();
  const std::uint16_t port = PortOf(server->Addresses().front());
  std::vector<std::unique_ptr<Client>> clients;
  constexpr std::size_t kKnown = 32;
  for (std::size_t i = 0; i < kKnown; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    clients.back()->Send("GET /known HTTP/1.1\r\nHost: a\r\n\r\n");
    clients.back()->Until("answer");
  }
  Client holding(port);
  holding.Send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
  handler.WaitUntilHeld();
  for (std::size_t i = 0; i < kKnown; ++i) clients.push_back(std::make_unique<Client>(port));
  for (const auto& client : clients) {
    client->Send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  std::thread drain([&] { server->Drain(std::chrono::seconds(60)); });
  // The server accepts nobody any more, which shows that it has begun to stop.
  while (Connects(port)) std::this_thread::yield();
  handler.LetGo();
  for (const auto& client : clients) {
    const std::string answers = client->UntilClosed();
    EXPECT_EQ(CountOf(answers, "answer"), 2U) << answers;
    EXPECT_LE(CountOf(answers, "Connection: close\r\n"), 1U) << answers;
    client->Close();
  }
  holding.UntilClosed();
  holding.Close();
  drain.join();
}

std::string Post(const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST_F(HttpServer, KeepsAConnectionForTheNextRequest) {
  Client client(port_);
  client.Send(Post("one"));
  EXPECT_TRUE(client.Until("POST /p one").ends_with("POST /p one"));
  client.Send(Post("two"));
  EXPECT_TRUE(client.Until("POST /p two").ends_with("POST /p two"));
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  Client client(port_);
  client.Send(Post("one") + "LIST /l HTTP/1.1\r\nHost: a\r\n\r\n" +
              "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string all = client.UntilClosed();
  const std::size_t one = all.find("POST /p one");
  const std::size_t two = all.find("LIST /l ");
  const std::size_t three = all.find("GET /last ");
  ASSERT_NE(three, std::string::npos) << all;
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
}

TEST_F(HttpServer, JoinsAChunkedBody) {
  Client client(port_);
  client.Send("PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n");
  client.Send("3\r\nllo\r\n0\r\n\r\n");
  EXPECT_TRUE(client.Until("PUT /c hello").ends_with("PUT /c hello"));
}

TEST_F(HttpServer, AsksForABodyThatWaitsToBeAskedFor) {
  Client client(port_);
  client.Send("PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.Until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ok");
  EXPECT_TRUE(client.Until("PUT /e ok").ends_with("PUT /e ok"));
}

TEST_F(HttpServer, EveryAnswerHasADate) {
  constexpr char kDate[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  for (const std::string& request : {Post("one"), std::string("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
                                     Post(std::string(65, 'b')), std::string("nonsense\r\n\r\n")}) {
    Client client(port_);
    client.Send(request);
    const std::string head = client.Until("\r\n\r\n");
    const std::size_t at = head.find("\r\nDate: ");
    ASSERT_NE(at, std::string::npos) << head;
    const std::string date = head.substr(at + 2, std::string_view(kDate).size());
    EXPECT_TRUE(date.ends_with(" GMT\r\n")) << date;
  }
}

TEST(DateLine, IsWhatTheStandardShowsAndChangesWithTheSecond) {
  DateLine line;
  EXPECT_EQ(line.At(784111777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(line.At(784111778), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
  Client client(port_);
  client.Send("HEAD /h HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = client.UntilClosed();
  EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServer, RefusesABodyThatIsTooLargeAndCloses) {
  Client client(port_);
  client.Send("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n");
  const std::string answer = client.UntilClosed();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 "));
  EXPECT_NE(answer.find("http: request body too large: at most 64 bytes"), std::string::npos);
}

TEST_F(HttpServer, AnswersEveryPipelinedRequestThoughTheAnswersAreLarge) {
  constexpr std::size_t kRequests = 400;
  Client client(port_);
  std::string all;
  for (std::size_t i = 0; i < kRequests; ++i) all += "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
  client.Send(all + "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answers = client.UntilClosed();
  EXPECT_GT(answers.size(), kRequests * kLarge);
  EXPECT_TRUE(answers.ends_with("GET /end "));
}

TEST_F(HttpServer, TellsAClientThatIsStillSendingThatItsBodyIsTooLarge) {
  Client client(port_);
  client.Send(Post(std::string(4UL * 1024 * 1024, 'b')));
  EXPECT_TRUE(client.UntilClosed().starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServer, SaysThatAnAddressIsInUse) {
  Options second = options_;
  second.listeners.front().address = server_->Addresses().front();
  const auto started = Server::Start(second, echo_, logger_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::kConflict);
}

TEST_F(HttpServer, ReplacesTheSocketFileOfAServerThatDied) {
  const fakes::TemporaryDirectory directory;
  const std::string path = directory.Path() / "s";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(dead);

  Options second = options_;
  second.listeners = {{Listener::Kind::kUnix, path}};
  const auto started = Server::Start(second, echo_, logger_);
  ASSERT_TRUE(started);
  Client client(path);
  client.Send(Post("unix"));
  EXPECT_TRUE(client.Until("POST /p unix").ends_with("POST /p unix"));
  const auto third = Server::Start(second, echo_, logger_);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Code::kConflict);
}

TEST_F(HttpServer, DrainClosesIdleConnectionsAndReturns) {
  Client client(port_);
  client.Send(Post("one"));
  client.Until("POST /p one");
  server_->Drain(std::chrono::seconds(60));
  EXPECT_EQ(client.UntilClosed(), "");
}

TEST_F(HttpServer, NeverGivesAClientTheAnswerOfOneThatLeft) {
  for (int i = 0; i < 2000; ++i) {
    const std::string id = "id-" + std::to_string(i) + ";";
    Client client(port_);
    client.Send(Post(id));
    if (i % 2 == 0) continue;  // leaves without its answer; its descriptor is free for the next
    const std::string answer = client.Until(";");
    ASSERT_TRUE(answer.ends_with("POST /p " + id)) << answer;
  }
}

}  // namespace
}  // namespace coffer::http
