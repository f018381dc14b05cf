// Requests that change keys go to the custodian's thread and leave their worker free.

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/service_fixture.h"
#include "coffer/http/server.h"
#include "http/client.h"

namespace coffer::api {
namespace {

// Blocks requests of one path before their work, and remembers the status that they end with.
class HoldingSink final : public audit::Sink {
 public:
  Status Record(const audit::Entry& entry) override {
    std::unique_lock lock(mutex_);
    if (entry.path != held_path_) return {};
    if (entry.type == audit::Entry::Type::kResponse) {
      status_ = entry.status;
      changed_.notify_all();
      return {};
    }
    changed_.wait(lock, [&] { return let_go_; });
    return {};
  }
  void HoldBack(const std::string& path) {
    const std::lock_guard lock(mutex_);
    held_path_ = path;
  }
  void LetGo() {
    const std::lock_guard lock(mutex_);
    let_go_ = true;
    changed_.notify_all();
  }
  // The status of the request that was blocked, once it is over.
  int RecordedStatus() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return status_ != 0; });
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string held_path_;
  bool let_go_ = false;
  int status_ = 0;
};

class CustodianRequests : public ServiceTest {
 protected:
  audit::Sink& Trail() override { return trail_; }
  void SetUp() override {
    ServiceTest::SetUp();
    options_.workers = 1;
    options_.listeners = {{http::Listener::Kind::kTcp, "127.0.0.1:0"}};
    Start();
  }
  void Start() {
    server_ = http::Server::Start(options_, *service_, logger_).value();
    port_ = http::PortOf(server_->Addresses().front());
  }
  void TearDown() override {
    if (!released_) Release();
    trail_.LetGo();
    server_.reset();
    ServiceTest::TearDown();
  }

  // Keeps the custodian busy until Release().
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
                             const std::string& body = "",
                             const std::string& token = std::string(kToken)) {
    return method + " /v1/" + path + " HTTP/1.1\r\nHost: a\r\nX-Vault-Token: " + token +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  bool Exists(const std::string& key) { return Get("transit/keys/" + key).status == 200; }

  HoldingSink trail_;
  http::Options options_;
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

TEST_F(CustodianRequests, AreAllThatChangeWhatIsStored) {
  ASSERT_EQ(Post("sys/mounts/old", {{"type", "transit"}}).status, 204);
  Occupy();
  const std::string changes[] = {
      Request("POST", "sys/mounts/new", R"({"type":"transit"})"),
      Request("POST", "sys/mounts/transit/tune", R"({"description":"tuned"})"),
      Request("POST", "sys/remount", R"({"from":"old","to":"moved"})"),
      Request("POST", "transit/config/keys", R"({"disable_upsert":true})"),
      Request("POST", "sys/audit/device", R"({"type":"file","options":{"file_path":"a.log"}})"),
      Request("DELETE", "sys/audit/device"),
  };
  std::vector<std::unique_ptr<http::Client>> waiting;
  for (const std::string& change : changes) {
    waiting.push_back(std::make_unique<http::Client>(port_));
    waiting.back()->Send(change);
  }
  http::Client other(port_);
  other.Send(Request("GET", "sys/health"));
  other.Until("}\n");  // one worker: the changes before have arrived
  EXPECT_EQ(Get("sys/mounts/new").status, 400);
  EXPECT_EQ(Get("sys/mounts/moved").status, 400);
  EXPECT_EQ(DataOf(Get("sys/mounts/transit"))["description"], "");
  EXPECT_EQ(DataOf(Get("transit/config/keys"))["disable_upsert"], false);
  EXPECT_EQ(custodian_->Waiting(), std::size(changes));
  Release();
  EXPECT_TRUE(waiting[0]->Until("\r\n\r\n").starts_with("HTTP/1.1 204 "));
  EXPECT_TRUE(waiting[1]->Until("\r\n\r\n").starts_with("HTTP/1.1 204 "));
  EXPECT_TRUE(waiting[2]->Until("}\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(waiting[3]->Until("}\n").starts_with("HTTP/1.1 200 "));
  // The changes of one mount were made to what those before them had left.
  EXPECT_EQ(DataOf(Get("sys/mounts/transit"))["description"], "tuned");
  EXPECT_EQ(DataOf(Get("transit/config/keys"))["disable_upsert"], true);
}

TEST_F(CustodianRequests, GoOnWhereTheyStoppedAndAreDecidedOnce) {
  const std::string token =
      TokenWith(R"(path "*" { capabilities = ["create"] })", {{"num_uses", 2}});
  const auto uses_left = [&] {
    return DataOf(Post("auth/token/lookup", {{"token", token}}))["num_uses"];
  };
  Occupy();
  http::Client waiting(port_);
  waiting.Send(Request("POST", "transit/encrypt/fresh",
                       R"({"plaintext":"aGVsbG8=","type":"aes128-gcm96"})", token));
  http::Client other(port_);
  other.Send(Request("GET", "sys/health"));
  other.Until("}\n");  // one worker: the request before was decided and waits
  EXPECT_EQ(uses_left(), 1);
  Must(policies_->Write("test-1", ""));  // what was decided stays decided
  Release();
  EXPECT_NE(waiting.Until("}\n").find("vault:v1:"), std::string::npos);
  EXPECT_EQ(uses_left(), 1);
  EXPECT_EQ(DataOf(Get("transit/keys/fresh"))["type"], "aes128-gcm96");
}

TEST_F(CustodianRequests, AChangeWhoseClientLeftBeforeItsTurnIsNotMade) {
  for (const bool with_reset : {true, false}) {
    Occupy();
    {
      http::Client leaving(port_);
      leaving.Send(Request("POST", "transit/keys/unwanted"));
      http::Client other(port_);  // answered after the change was parked: one worker, in order
      other.Send(Request("GET", "sys/health"));
      other.Until("}\n");
      if (with_reset) {
        leaving.CloseWithReset();
      } else {
        leaving.Close();
      }
      other.Send(Request("GET", "sys/health"));
      other.Until("}\n");
    }
    http::Client staying(port_);
    staying.Send(Request("POST", "transit/keys/wanted"));
    Release();
    EXPECT_TRUE(staying.Until("}\n").starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(Exists("wanted"));
    EXPECT_FALSE(Exists("unwanted")) << with_reset;
  }
}

TEST_F(CustodianRequests, AChangeThatHasBegunIsMadeAndRecordedThoughItsClientIsSentAway) {
  options_.parked_timeout = std::chrono::milliseconds(1);
  Start();
  trail_.HoldBack("transit/keys/late");
  http::Client waiting(port_);
  waiting.Send(Request("POST", "transit/keys/late"));
  const std::string answer = waiting.UntilClosed();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("it goes on"), std::string::npos) << answer;
  trail_.LetGo();
  EXPECT_EQ(trail_.RecordedStatus(), 200);
  EXPECT_TRUE(Exists("late"));
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
