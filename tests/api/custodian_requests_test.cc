// Requests that change keys go to the custodian's thread and leave their worker free.

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "api/service_fixture.h"
#include "coffer/http/server.h"
#include "http/client.h"

namespace coffer::api {
namespace {

class CustodianRequests : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    http::Options options;
    options.workers = 1;
    options.listeners = {{http::Listener::Kind::kTcp, "127.0.0.1:0"}};
    server_ = http::Server::Start(options, *service_, logger_).value();
    port_ = http::PortOf(server_->Addresses().front());
  }
  void TearDown() override {
    if (!released_) Release();
    server_.reset();
    ServiceTest::TearDown();
  }

  // The custodian does nothing else until Release().
  void Occupy() {
    std::promise<void> begun;
    auto has_begun = begun.get_future();
    ASSERT_TRUE(custodian_->Submit(
        [&begun, until = release_.get_future().share()](keyring::Token&) -> Status {
          begun.set_value();
          until.wait();
          return {};
        }));
    has_begun.wait();
    released_ = false;
  }
  void Release() {
    release_.set_value();
    release_ = std::promise<void>();
    released_ = true;
  }
  static std::string Request(const std::string& method, const std::string& path,
                             const std::string& body = "") {
    return method + " /v1/" + path + " HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root-token\r\n" +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  bool Exists(const std::string& key) { return Get("transit/keys/" + key).status == 200; }

  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  std::promise<void> release_;
  bool released_ = true;
};

TEST_F(CustodianRequests, LeaveTheOnlyWorkerFreeForOthers) {
  Seal("there", "x");
  Occupy();
  const std::string changes[] = {
      Request("POST", "transit/keys/made"),
      Request("POST", "transit/keys/there/rotate"),
      Request("POST", "transit/encrypt/upserted", R"({"plaintext":"aGVsbG8="})"),
      Request("DELETE", "sys/mounts/transit"),
  };
  std::vector<std::unique_ptr<http::Client>> waiting;
  for (const std::string& change : changes) {
    waiting.push_back(std::make_unique<http::Client>(port_));
    waiting.back()->Send(change);
  }
  http::Client other(port_);
  other.Send(Request("GET", "sys/health") +
             Request("POST", "transit/encrypt/there", R"({"plaintext":"aGVsbG8="})"));
  EXPECT_TRUE(other.Until("vault:v1:").ends_with("vault:v1:"));
  EXPECT_FALSE(Exists("made"));
  Release();
  EXPECT_TRUE(waiting[0]->Until("}\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(waiting[1]->Until("}\n").starts_with("HTTP/1.1 200 "));
  EXPECT_NE(waiting[2]->Until("}\n").find("vault:v1:"), std::string::npos);
  EXPECT_TRUE(waiting[3]->Until("\r\n\r\n").starts_with("HTTP/1.1 204 "));
}

TEST_F(CustodianRequests, AChangeWhoseClientLeftBeforeItsTurnIsNotMade) {
  Occupy();
  {
    http::Client leaving(port_);
    leaving.Send(Request("POST", "transit/keys/unwanted"));
    http::Client other(port_);  // answered after the change was parked: one worker, in order
    other.Send(Request("GET", "sys/health"));
    other.Until("}\n");
    leaving.CloseWithReset();
    other.Send(Request("GET", "sys/health"));
    other.Until("}\n");
  }
  http::Client staying(port_);
  staying.Send(Request("POST", "transit/keys/wanted"));
  Release();
  EXPECT_TRUE(staying.Until("}\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Exists("wanted"));
  EXPECT_FALSE(Exists("unwanted"));
}

TEST_F(CustodianRequests, AreRefusedWithRetryAfterWhereTooManyWait) {
  Occupy();
  std::vector<std::unique_ptr<http::Client>> waiting;
  std::string refused;
  for (int i = 0; i < 300 && refused.empty(); ++i) {
    waiting.push_back(std::make_unique<http::Client>(port_));
    waiting.back()->Send(Request("POST", "transit/keys/k" + std::to_string(i)));
    if (i >= 256) refused = waiting.back()->Until("}\n");
  }
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  EXPECT_NE(refused.find("Retry-After: 1\r\n"), std::string::npos) << refused;
  Release();
  EXPECT_TRUE(waiting.front()->Until("}\n").starts_with("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace coffer::api
