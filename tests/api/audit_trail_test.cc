// Every request leaves one entry before the work and one before the answer, whatever becomes of it.

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "api/audit_trail.h"
#include "api/service_fixture.h"
#include "coffer/crypto/digest.h"
#include "coffer/http/server.h"
#include "http/client.h"

namespace coffer::api {
namespace {

// Keeps the entries that it gets, and refuses them when the test says so.
class RecordingSink final : public audit::Sink {
 public:
  struct Kept {
    bool response = false;
    std::string id;
    std::string operation;
    std::string path;
    std::string data;
    std::string answer;
    std::string error;
    std::string mount;
    bool known = false;
    bool denied = false;
    bool durable = false;
    int status = 0;
    std::set<std::string> secret;
    std::string made_error;  // no literal
    std::string error_code;
    std::string document;  // the hash of one
    std::string argument;  // a refusal's name
  };
  Status Record(const audit::Entry& entry) override {
    const std::lock_guard lock(mutex_);
    const bool response = entry.type == audit::Entry::Type::kResponse;
    if (response ? refuse_responses : refuse_requests) {
      return Fail(Code::kUnavailable, "the audit device does not take records");
    }
    Kept kept{response,
              std::string(entry.request_id),
              std::string(entry.operation),
              std::string(entry.path),
              std::string(entry.request_data),
              std::string(entry.response_data),
              std::string(entry.error),
              std::string(entry.mount.point),
              entry.caller != nullptr,
              entry.denied,
              entry.durable,
              entry.status,
              {},
              std::string(entry.error_text),
              std::string(entry.error_code),
              entry.response_document == nullptr ? "" : entry.response_document->sha256,
              entry.error_arguments == nullptr ? "" : entry.error_arguments->name};
    for (const auto& name : entry.secret_fields) kept.secret.emplace(name);
    entries.push_back(std::move(kept));
    return {};
  }
  std::vector<Kept> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(entries, {});
  }

  std::atomic<bool> refuse_requests{false};
  std::atomic<bool> refuse_responses{false};

 private:
  std::mutex mutex_;
  std::vector<Kept> entries;
};

// Removes the mount of a request while the request is at work.
class UnmountingSink final : public audit::Sink {
 public:
  Status Record(const audit::Entry& entry) override {
    if (entry.type == audit::Entry::Type::kResponse) {
      seen = std::string(entry.mount.point) + " " + std::string(entry.mount.accessor);
    } else if (mounts != nullptr) {
      expected = std::string(entry.mount.point) + " " + std::string(entry.mount.accessor);
      return mounts->Remove(*mounts::MountPath::Parse("transit"));
    }
    return {};
  }
  mounts::MountTable* mounts = nullptr;
  std::string expected;
  std::string seen;
};

class UnmountedMeanwhile : public ServiceTest {
 protected:
  audit::Sink& Trail() override { return sink_; }
  UnmountingSink sink_;
};

TEST_F(UnmountedMeanwhile, TheAnswersEntryNamesTheMountThatWas) {
  sink_.mounts = mounts_.get();
  Get("transit/keys/none");
  EXPECT_FALSE(sink_.expected.empty());
  EXPECT_EQ(sink_.seen, sink_.expected);
}

// Counts the bytes of the lines above level debug.
class CountingLog final : public Logger {
 public:
  void Log(LogLevel level, std::string_view, std::string_view message,
           std::initializer_list<LogField> fields) override {
    if (level == LogLevel::kDebug) return;
    bytes += message.size();
    for (const LogField& field : fields) bytes += field.value.size();
  }
  std::size_t bytes = 0;
};

class AuditTrailTest : public ServiceTest {
 protected:
  audit::Sink& Trail() override { return trail_; }
  Logger& ServiceLog() override { return log_; }
  void SetUp() override {
    ServiceTest::SetUp();
    trail_.Take();
  }
  // The pair of entries that the last request left.
  std::pair<RecordingSink::Kept, RecordingSink::Kept> Pair() {
    const auto kept = trail_.Take();
    EXPECT_EQ(kept.size(), 2U);
    if (kept.size() != 2) return {};
    EXPECT_FALSE(kept[0].response);
    EXPECT_TRUE(kept[1].response);
    EXPECT_EQ(kept[0].id, kept[1].id);
    return {kept[0], kept[1]};
  }

  CountingLog log_;
  RecordingSink trail_;
};

TEST_F(AuditTrailTest, RecordsWhatWasAskedAndWhatIsAnswered) {
  Seal("k", "hello");
  trail_.Take();
  const auto answer = Post("transit/encrypt/k", {{"plaintext", "aGVsbG8="}});
  const auto [request, response] = Pair();
  EXPECT_EQ(request.operation, "update");
  EXPECT_EQ(request.path, "transit/encrypt/k");
  EXPECT_EQ(request.mount, "transit/");
  EXPECT_EQ(request.data, R"({"plaintext":"aGVsbG8="})");
  EXPECT_TRUE(request.secret.contains("plaintext"));
  EXPECT_TRUE(request.known);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(response.answer), DataOf(answer));
  EXPECT_EQ(json::parse(answer.body)["request_id"], request.id);
}

TEST_F(AuditTrailTest, ChangesOfStateAreDurableAndUsesAreNot) {
  Post("transit/keys/k");
  EXPECT_TRUE(Pair().first.durable);
  Post("transit/encrypt/k", {{"plaintext", "aGVsbG8="}});
  EXPECT_FALSE(Pair().second.durable);
  Post("transit/encrypt/new", {{"plaintext", "aGVsbG8="}});
  const auto [upsert, upserted] = Pair();
  EXPECT_EQ(upsert.operation, "create");
  EXPECT_TRUE(upsert.durable && upserted.durable);
  Post("transit/random/32");
  EXPECT_FALSE(Pair().second.durable);
  Get("transit/keys/k");
  EXPECT_FALSE(Pair().second.durable);
  Post("transit/keys/k/rotate");
  EXPECT_TRUE(Pair().second.durable);
  Post("sys/mounts/other", {{"type", "transit"}});
  EXPECT_TRUE(Pair().second.durable);
  Send(http::Method::kDelete, "sys/mounts/other");
  EXPECT_TRUE(Pair().second.durable);
}

TEST_F(AuditTrailTest, RefusalsLeaveTheirPairToo) {
  const struct {
    http::Response response;
    int status;
  } kCases[] = {
      {Send(http::Method::kGet, "transit/keys/k", "", ""), 403},
      {Send(http::Method::kGet, "transit/keys/k", "", "wrong"), 403},
      {Get("nowhere/x"), 404},
      {Get("transit/nothing"), 404},
      {Get("transit/keys/none"), 404},
      {Get("transit/encrypt/k"), 405},
      {Send(http::Method::kPost, "transit/keys/k", "{"), 400},
      {Send(http::Method::kOptions, "sys/health"), 405},
      {Post("transit/encrypt/k", {{"plaintext", "!"}}), 400},
      {Get("sys/mounts?list=nonsense"), 400},
      {Get("transit/keys/k?help=1"), 200},
      {Send(http::Method::kGet, "sys/health", "", ""), 200},
      {Send(http::Method::kHead, "sys/health", "", ""), 200},
  };
  const auto kept = trail_.Take();
  std::map<std::string, std::pair<int, int>> pairs;
  std::vector<int> statuses;
  for (const auto& entry : kept) {
    auto& pair = pairs[entry.id];
    ++(entry.response ? pair.second : pair.first);
    if (entry.response) statuses.push_back(entry.status);
  }
  EXPECT_EQ(pairs.size(), std::size(kCases));
  for (const auto& [id, pair] : pairs) EXPECT_EQ(pair, (std::pair{1, 1})) << id;
  for (std::size_t i = 0; i < std::size(kCases); ++i) {
    EXPECT_EQ(kCases[i].response.status, kCases[i].status) << i;
    EXPECT_EQ(statuses[i], kCases[i].status) << i;
  }
  EXPECT_TRUE(kept[0].denied);
  EXPECT_FALSE(kept[0].known);
  EXPECT_FALSE(kept[4].denied);
}

TEST_F(AuditTrailTest, ARefusalIsToldByItsNameAndApartFromWhatWasSent) {
  Send(http::Method::kGet, "transit/keys/k", "", "");
  for (const auto& kept : trail_.Take()) {
    EXPECT_EQ(kept.error, "permission denied");
    EXPECT_EQ(kept.error_code, "permission_denied");
  }
  Get("nowhere/hvs.secret");
  for (const auto& kept : trail_.Take()) {
    EXPECT_EQ(kept.error, "nothing is mounted at {name}");
    EXPECT_EQ(kept.argument, "nowhere/hvs.secret");
    EXPECT_EQ(kept.made_error, "");
    EXPECT_EQ(kept.error_code, "no_route");
  }
}

TEST_F(AuditTrailTest, OnlyALiteralIsToldToTheTrailAsAFailure) {
  Post("transit/sign/k", {{"input", ""}, {"hash_algorithm", "hvs.secret"}});
  const auto kept = Pair().second;
  EXPECT_EQ(kept.error, "");
  EXPECT_NE(kept.made_error.find("hvs.secret"), std::string::npos);
  EXPECT_EQ(kept.error_code, "invalid");
  EXPECT_EQ(kept.argument, "");
  Get("transit/keys/none");
  EXPECT_EQ(Pair().second.error, "no such object");
}

TEST_F(AuditTrailTest, AFailureWithoutATextIsToldByItsKind) {
  const http::Request request;
  AuditTrail trail(trail_, request, "id", "path");
  const Error failure(Code::kInternal, "", "the cause is for the log");
  ASSERT_TRUE(trail.RecordRequest(&failure));
  const auto kept = trail_.Take().front();
  EXPECT_EQ(kept.error, "internal error");
  EXPECT_EQ(kept.error_code, "internal");
}

TEST_F(AuditTrailTest, ADocumentIsToldByItsHash) {
  for (const char* const target :
       {"sys/internal/specs/openapi", "transit/encrypt/k?help=1", "transit/?help=1"}) {
    const std::string body = Get(target).body;
    const auto [request, response] = Pair();
    EXPECT_EQ(response.document, ToHex(crypto::Sha256(AsBytes(body)))) << target;
  }
  Get("sys/health");
  EXPECT_EQ(Pair().second.document, "");
}

TEST_F(AuditTrailTest, WhateverWasDoneHasItsEntryThoughTheRequestIsLong) {
  Post("transit/keys/k");
  trail_.Take();
  const auto answer = Send(http::Method::kPost, "transit/keys/k/rotate",
                           "{\"" + std::string(9'000'000, 'n') + "\":1}");
  EXPECT_EQ(answer.status / 100, 2);
  EXPECT_LT(answer.body.size(), 4096U);
  EXPECT_EQ(Pair().second.status, answer.status);
}

TEST_F(AuditTrailTest, APathOutsideTheApiIsRecordedAsItIs) {
  http::Request request;
  request.path = "/ui/secret";
  http::Response response;
  service_->Handle(request, response);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(Pair().first.path, "/ui/secret");
}

TEST_F(AuditTrailTest, ParametersOfFormsAndQueriesAreRecordedAsJson) {
  Get("transit/keys/none?after=x");
  EXPECT_EQ(json::parse(Pair().first.data), (json{{"after", "x"}}));
  http::Request request;
  request.method = http::Method::kPost;
  request.path = "/v1/transit/encrypt/k";
  request.headers = {{"x-vault-token", kToken},
                     {"content-type", "application/x-www-form-urlencoded"}};
  request.body = "plaintext=aGVsbG8%3D&a=1&a=2";
  http::Response response;
  service_->Handle(request, response);
  EXPECT_EQ(json::parse(Pair().first.data), (json{{"plaintext", "aGVsbG8="}, {"a", {"1", "2"}}}));
}

TEST_F(AuditTrailTest, WithoutARecordNothingIsDone) {
  trail_.refuse_requests = true;
  for (const char* path : {"transit/keys/k", "sys/mounts/x"}) {
    const auto refused = Post(path, {{"type", "transit"}});
    EXPECT_EQ(refused.status, 503) << path;
    EXPECT_EQ(ErrorOf(refused), "the audit device does not take records");
  }
  EXPECT_EQ(Get("sys/health").status, 503);
  trail_.refuse_requests = false;
  EXPECT_EQ(Get("transit/keys/k").status, 404);
  EXPECT_EQ(Get("sys/mounts/x").status, 400);
  for (const auto& entry : trail_.Take()) EXPECT_NE(entry.path, "sys/health");
}

TEST_F(AuditTrailTest, AnOutageOfTheTrailLetsNobodyWriteTheLogFull) {
  trail_.refuse_requests = true;
  log_.bytes = 0;
  const std::string path = "x/" + std::string(4000, 'x');
  EXPECT_EQ(Send(http::Method::kGet, path, "", "").status, 503);
  http::Refusal refusal;
  refusal.target = path;
  service_->OnRefused(refusal);
  EXPECT_EQ(log_.bytes, 0U)
      << "the device has said it, and a stranger may ask as often as he likes";
  EXPECT_EQ(Get(path).status, 503);
  EXPECT_GT(log_.bytes, 0U);
  EXPECT_LT(log_.bytes, 1000U);
}

TEST_F(AuditTrailTest, WithoutARecordNothingIsAnswered) {
  const std::string sealed = Seal("k", "hello");
  trail_.refuse_responses = true;
  const auto withheld = Post("transit/decrypt/k", {{"ciphertext", sealed}});
  EXPECT_EQ(withheld.status, 503);
  EXPECT_EQ(withheld.body.find("aGVsbG8="), std::string::npos);
  EXPECT_EQ(Get("transit/keys/k").status, 503);
}

TEST_F(AuditTrailTest, NoStringOfASecretFieldIsAnsweredInAnError) {
  const std::string canary = "CANARY+secret/";
  for (const char* path : {"transit/encrypt/k", "transit/decrypt/k", "transit/rewrap/k",
                           "transit/datakey/plaintext/k", "transit/hash"}) {
    for (const char* field : {"plaintext", "ciphertext", "context", "associated_data", "input"}) {
      const auto answer = Post(path, {{field, canary}});
      EXPECT_EQ(answer.body.find("CANARY"), std::string::npos) << path << " " << field;
    }
  }
}

// Sends malformed requests from strangers over a real connection: each must leave one pair of
// entries, whatever it does to the connection.
class HostileHttp : public AuditTrailTest {
 protected:
  void SetUp() override {
    AuditTrailTest::SetUp();
    http::Options options;
    options.workers = 2;
    options.listeners = {{http::Listener::Kind::kTcp, "127.0.0.1:0"}};
    options.max_header_bytes = 4096;
    options.max_body_bytes = 4096;
    server_ = http::Server::Start(options, *service_, logger_).value();
    port_ = http::PortOf(server_->Addresses().front());
  }
  void TearDown() override {
    server_.reset();
    AuditTrailTest::TearDown();
  }
  static std::vector<std::string> Corpus();

  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
};

std::vector<std::string> HostileHttp::Corpus() {
  const std::string head = "X-Vault-Token: root-token\r\n";
  std::vector<std::string> corpus{
      "\r\n\r\nGET\r\n\r\n",
      "GET /v1/sys/health\r\n\r\n",
      "GET /v1/sys/health HTTP/2.0\r\nHost: a\r\n\r\n",
      "GET /v1/sys/health HTTP/1.1\r\n\r\n",
      "GET  /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n",
      "BREW /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /v1/../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /v1/%00 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /v1/%zz HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /v1/%ff%fe HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /v1/sys/health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET /v1/sys/health HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
      "GET /v1/sys/health HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
      "GET /v1/sys/health HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
      "GET /v1/sys/health HTTP/1.1\nHost: a\n\n",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
      "2\r\n\r\nx",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\nx",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST /v1/transit/keys/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "fffffffff\r\n",
      "GET /v1/" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /v1/sys/health HTTP/1.1\r\nHost: a\r\nX: " + std::string(8192, 'a') + "\r\n\r\n",
  };
  // These requests are well-formed, but the API does not accept their bodies.
  for (const char* body :
       {"{", "[]", "\"x\"", "{\"plaintext\":{}}", "{\"plaintext\":\"\\ud800\"}", "\xff\xfe",
        "{\"a\":1}{\"b\":2}", "{\"batch_input\":\"x\"}", "{\"batch_input\":[1]}", "nul",
        "{\"plaintext\":\"a\nb\"}", "{\"\\u0000\":1}"}) {
    corpus.push_back("POST /v1/transit/encrypt/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" +
                     head + "Content-Length: " + std::to_string(std::string(body).size()) +
                     "\r\n\r\n" + body);
  }
  for (const char* line : {"GET /", "GET /v1/", "GET /v1/%0a", "PATCH /v1/transit/keys/k",
                           "OPTIONS /v1/sys/health", "LIST /v1/transit/keys", "GET /v1/a?b=%00",
                           "GET /v1/transit/keys/k?list=true&scan=true", "HEAD /v1/transit/keys/k",
                           "DELETE /v1/sys/mounts/none", "GET /v1/sys/health?activecode=x"}) {
    corpus.push_back(std::string(line) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + head +
                     "\r\n");
  }
  corpus.push_back(
      "GET /v1/transit/keys HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
      "X-Vault-Token: \xff\x80\r\n\r\n");
  corpus.push_back(
      "GET /v1/transit/keys HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
      "X-Vault-Namespace: none\r\n" +
      head + "\r\n");
  return corpus;
}

TEST_F(HostileHttp, EachRequestLeavesExactlyOnePair) {
  for (const std::string& octets : Corpus()) {
    http::Client client(port_);
    client.Send(octets);
    const std::string answer = client.UntilClosed();
    const auto kept = trail_.Take();
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 ")) << octets;
    ASSERT_EQ(kept.size(), 2U) << octets << answer;
    EXPECT_FALSE(kept[0].response);
    EXPECT_TRUE(kept[1].response);
    EXPECT_EQ(kept[0].id, kept[1].id);
    EXPECT_EQ(std::to_string(kept[1].status), answer.substr(9, 3)) << octets;
  }
}

}  // namespace
}  // namespace coffer::api
