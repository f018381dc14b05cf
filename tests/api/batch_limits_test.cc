// A batch has a largest cost, and a long one gives way to the worker's other connections.

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "api/service_fixture.h"

namespace coffer::api {
namespace {

// A request that is parked here goes on when the test says so, one slice at a time.
class Shelf final : public http::Parking {
 public:
  class Laid final : public http::Parked {
   public:
    Laid(Shelf& shelf, const http::Request& asked)
        : shelf_(shelf), body_(asked.body), request_(asked) {
      request_.body = body_;
      request_.parking = nullptr;
    }
    http::Request& Asked() override { return request_; }
    bool Begin() override { return !shelf_.left; }
    void Later(std::function<void()> piece) override { shelf_.work.push_back(std::move(piece)); }
    void Answer(http::Response response) override { shelf_.answer = std::move(response); }

   private:
    Shelf& shelf_;
    const std::string body_;
    http::Request request_;
  };

  Result<std::unique_ptr<http::Parked>> Park() override {
    if (full) return Fail(Code::kUnavailable, "no place is free: at most 7");
    return std::make_unique<Laid>(*this, request);
  }
  // Finishes the work and returns the number of slices that it took.
  int Finish() {
    int slices = 0;
    for (; !work.empty(); ++slices) {
      const auto next = std::move(work.front());
      work.pop_front();
      next();
    }
    return slices;
  }

  http::Request request;
  http::Response answer;
  std::deque<std::function<void()>> work;
  bool full = false;
  bool left = false;
};

// Counts the entries of requests and responses, and remembers the last status and whether the last
// entry could wait.
class StatusSink final : public audit::Sink {
 public:
  Status Record(const audit::Entry& entry) override {
    if (std::exchange(out_of_memory, false)) throw std::bad_alloc();
    ++(entry.type == audit::Entry::Type::kResponse ? responses : requests);
    if (entry.type == audit::Entry::Type::kResponse) last_status = entry.status;
    waited = entry.may_wait;
    return {};
  }
  bool out_of_memory = false;  // once
  int last_status = 0;
  int requests = 0;
  int responses = 0;
  bool waited = false;
};

class ErrorCounter final : public Logger {
 public:
  void Log(LogLevel level, std::string_view, std::string_view,
           std::initializer_list<LogField>) override {
    if (level == LogLevel::kError) ++errors;
  }
  int errors = 0;
};

// Has room for `room` bytes.
class BoundedMemory final : public http::Memory {
 public:
  void SetOwner(http::Owner known) override { owner = known; }
  Status Take(std::size_t bytes) override {
    taken += bytes;
    if (taken > room) return Fail(Code::kUnavailable, "no room");
    return {};
  }
  http::Owner owner = http::kUnknownOwner;
  std::size_t taken = 0;
  std::size_t room = std::numeric_limits<std::size_t>::max();
};

class BatchLimits : public ServiceTest {
 protected:
  audit::Sink& Trail() override { return trail_; }
  Logger& ServiceLog() override { return log_; }
  void TearDown() override {
    shelf_.work.clear();  // it refers to the service
    ServiceTest::TearDown();
  }
  static json Items(std::size_t count, const json& item) {
    return {{"batch_input", json::array_t(count, item)}};
  }
  // Sends a request that can be parked, and returns what is answered at once.
  http::Response Ask(const std::string& path, const json& body) {
    text_ = body.dump();
    shelf_.request.method = http::Method::kPost;
    shelf_.request.path = "/v1/" + path;
    shelf_.request.headers = {{"x-vault-token", kToken}};
    shelf_.request.body = text_;
    shelf_.request.parking = &shelf_;
    shelf_.request.memory = &memory_;
    http::Response response;
    service_->Handle(shelf_.request, response);
    return response;
  }

  // Runs the first slice of the parked work.
  void RunOne() {
    ASSERT_FALSE(shelf_.work.empty());
    const auto first = std::move(shelf_.work.front());
    shelf_.work.pop_front();
    first();
  }

  StatusSink trail_;
  ErrorCounter log_;
  BoundedMemory memory_;
  Shelf shelf_;
  std::string text_;
};

TEST_F(BatchLimits, NameTheLimitWhereABatchIsTooLarge) {
  Post("transit/keys/k");
  Post("transit/keys/rsa", {{"type", "rsa-2048"}});
  const auto many = Post("transit/encrypt/k", Items(10'001, {{"plaintext", ""}}));
  EXPECT_EQ(many.status, 400);
  EXPECT_EQ(ErrorOf(many), "batch_input has 10001 items, and the limit is 10000");
  for (const char* const operation : {"sign", "decrypt", "rewrap"}) {
    const auto dear = Post("transit/" + std::string(operation) + "/rsa",
                           Items(2'501, {{"input", ""}, {"ciphertext", "vault:v1:AAAA"}}));
    EXPECT_EQ(dear.status, 400);
    EXPECT_EQ(ErrorOf(dear),
              "batch_input has 2501 items, and the limit is 2500 for a key of type rsa-2048");
  }
  for (const char* const operation : {"encrypt", "verify", "hmac", "cmac", "inspect"}) {
    EXPECT_EQ(
        ErrorOf(Post("transit/" + std::string(operation) + "/rsa", Items(10'001, json::object()))),
        "batch_input has 10001 items, and the limit is 10000")
        << operation;
  }
}

TEST_F(BatchLimits, AreForUpsertsToo) {
  EXPECT_EQ(Ask("transit/encrypt/new", Items(10'001, {{"plaintext", ""}})).status, 400);
  EXPECT_EQ(Get("transit/keys/new").status, 404);
}

TEST_F(BatchLimits, ASmallBatchIsAnsweredAtOnce) {
  Post("transit/keys/k");
  EXPECT_EQ(Ask("transit/encrypt/k", Items(128, {{"plaintext", ""}})).status, 200);
  EXPECT_TRUE(shelf_.work.empty());
  EXPECT_TRUE(trail_.waited);
}

TEST_F(BatchLimits, ALongBatchGoesOnInSlicesAndIsAnsweredWhole) {
  Post("transit/keys/k");
  Ask("transit/encrypt/k", Items(10'000, {{"plaintext", "aGVsbG8="}, {"reference", "r"}}));
  ASSERT_EQ(shelf_.work.size(), 1U);
  EXPECT_GT(shelf_.Finish(), 1) << "10,000 encryptions within one slice";
  EXPECT_EQ(shelf_.answer.status, 200);
  EXPECT_FALSE(trail_.waited) << "its first entry is in the trail while it is under way";
  EXPECT_EQ(trail_.last_status, 200);
  const json sealed = DataOf(shelf_.answer)["batch_results"];
  ASSERT_EQ(sealed.size(), 10'000U);
  json opened = Items(0, {});
  for (const json& one : sealed) {
    EXPECT_EQ(one["reference"], "r");
    opened["batch_input"].push_back({{"ciphertext", one["ciphertext"]}});
  }
  opened["batch_input"][7'000]["ciphertext"] = "vault:v9:AAAA";
  Ask("transit/decrypt/k", opened);
  EXPECT_GT(shelf_.Finish(), 1);
  EXPECT_EQ(shelf_.answer.status, 400);
  EXPECT_TRUE(shelf_.answer.wipe);
  const json results = DataOf(shelf_.answer)["batch_results"];
  ASSERT_EQ(results.size(), 10'000U);
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i]["plaintext"], i == 7'000 ? "" : "aGVsbG8=") << i;
  }
}

TEST_F(BatchLimits, DearItemsGiveWay) {
  Post("transit/keys/rsa", {{"type", "rsa-4096"}});
  Ask("transit/sign/rsa", Items(40, {{"input", "aGVsbG8="}}));
  EXPECT_GT(shelf_.Finish(), 2);
  const json signatures = DataOf(shelf_.answer)["batch_results"];
  ASSERT_EQ(signatures.size(), 40U);
  json batch = Items(0, {});
  for (const json& one : signatures) {
    batch["batch_input"].push_back({{"input", "aGVsbG8="}, {"signature", one["signature"]}});
  }
  const json verified = DataOf(Post("transit/verify/rsa", batch));
  for (const json& one : verified["batch_results"]) EXPECT_EQ(one["valid"], true);
}

TEST_F(BatchLimits, EveryOperationGoesOnInSlices) {
  Post("transit/keys/k");
  Post("transit/keys/c", {{"type", "aes256-cmac"}});
  Post("transit/keys/e", {{"type", "ecdsa-p256"}});
  const std::string sealed = Seal("k", "x");
  const std::string hmac = DataOf(Post("transit/hmac/k", {{"input", ""}}))["hmac"];
  const std::string signature = DataOf(Post("transit/sign/e", {{"input", ""}}))["signature"];
  const struct {
    const char* path;
    json item;
    const char* member;
  } kCases[] = {
      {"transit/rewrap/k", {{"ciphertext", sealed}}, "ciphertext"},
      {"transit/hmac/k", {{"input", ""}}, "hmac"},
      {"transit/cmac/c", {{"input", ""}}, "cmac"},
      {"transit/sign/e", {{"input", ""}}, "signature"},
      {"transit/verify/e", {{"input", ""}, {"signature", signature}}, "valid"},
      {"transit/verify/k", {{"input", ""}, {"hmac", hmac}}, "valid"},
      {"transit/inspect/k", {{"ciphertext", sealed}}, "version"},
  };
  for (const auto& item : kCases) {
    Ask(item.path, Items(300, item.item));
    ASSERT_EQ(shelf_.work.size(), 1U) << item.path;
    shelf_.Finish();
    EXPECT_EQ(shelf_.answer.status, 200) << item.path;
    const json results = DataOf(shelf_.answer)["batch_results"];
    ASSERT_EQ(results.size(), 300U) << item.path;
    for (const json& one : results) EXPECT_TRUE(one.contains(item.member)) << item.path;
  }
}

TEST_F(BatchLimits, AFaultOfTheWholeRequestIsAnsweredAndRecorded) {
  Ask("transit/sign/absent", Items(200, {{"input", ""}}));
  shelf_.Finish();
  EXPECT_EQ(shelf_.answer.status, 400);
  EXPECT_EQ(ErrorOf(shelf_.answer), "signing key not found");
  EXPECT_EQ(trail_.last_status, 400);
}

TEST_F(BatchLimits, TwoThousandRsaSignaturesGiveWayAgainAndAgain) {
  Post("transit/keys/rsa", {{"type", "rsa-2048"}});
  Ask("transit/sign/rsa", Items(2'000, {{"input", "aGVsbG8="}}));
  EXPECT_GT(shelf_.Finish(), 20);
  EXPECT_EQ(shelf_.answer.status, 200);
  EXPECT_EQ(DataOf(shelf_.answer)["batch_results"].size(), 2'000U);
  EXPECT_EQ(trail_.last_status, 200);
}

TEST_F(BatchLimits, StopWhereTheClientLeaves) {
  Post("transit/keys/rsa", {{"type", "rsa-4096"}});
  Ask("transit/sign/rsa", Items(400, {{"input", ""}}));
  RunOne();
  ASSERT_EQ(shelf_.work.size(), 1U);
  shelf_.left = true;
  EXPECT_EQ(shelf_.Finish(), 1);
  EXPECT_EQ(shelf_.answer.status, 503);
  EXPECT_EQ(trail_.last_status, 503);
  EXPECT_EQ(log_.errors, 0) << "that a client leaves is no fault of ours";
}

TEST_F(BatchLimits, ThatTheServerDropsAtItsEndHaveTheirAnswersRecorded) {
  Post("transit/keys/rsa", {{"type", "rsa-4096"}});
  for (const bool begun : {true, false}) {
    const int responses = trail_.responses;
    Ask("transit/sign/rsa", Items(400, {{"input", ""}}));
    if (begun) RunOne();
    ASSERT_EQ(shelf_.work.size(), 1U);
    EXPECT_EQ(trail_.responses, responses);
    shelf_.work.clear();
    EXPECT_EQ(trail_.responses, responses + 1);
    EXPECT_EQ(trail_.responses, trail_.requests);
    EXPECT_EQ(trail_.last_status, 503);
    EXPECT_EQ(ErrorOf(shelf_.answer), "request was given up before its end: try again");
  }
}

TEST_F(BatchLimits, AnswerAnInternalErrorWhereMemoryRunsOut) {
  Post("transit/keys/k");
  Ask("transit/encrypt/k", Items(200, {{"plaintext", ""}}));
  trail_.out_of_memory = true;
  EXPECT_NO_THROW(shelf_.Finish());
  EXPECT_EQ(shelf_.answer.status, 500);
  EXPECT_EQ(trail_.last_status, 500);
}

TEST_F(BatchLimits, CountTheMemoryOfWhatWasReadOfThemHoweverShortTheyAre) {
  Post("transit/keys/k");
  Ask("transit/encrypt/k", Items(1000, {{"plaintext", ""}}));
  EXPECT_GT(shelf_.Finish(), 0);
  EXPECT_EQ(shelf_.answer.status, 200);
  const std::size_t needed = memory_.taken;
  EXPECT_GT(needed, 1000U * 500);
  memory_ = {};
  memory_.room = needed / 2;
  Ask("transit/encrypt/k", Items(1000, {{"plaintext", ""}}));
  shelf_.Finish();
  EXPECT_EQ(shelf_.answer.status, 503);
  EXPECT_EQ(ErrorOf(shelf_.answer), "no room");
}

TEST_F(BatchLimits, AnswerThatTooManyWaitWhereNoneCanBeParked) {
  Post("transit/keys/k");
  shelf_.full = true;
  const auto refused = Ask("transit/encrypt/k", Items(200, {{"plaintext", ""}}));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(ErrorOf(refused), "no place is free: at most 7");
}

TEST_F(BatchLimits, ABatchWhoseKeyWentAwayMeanwhileMakesNone) {
  Post("transit/keys/k");
  Post("transit/keys/k/config", {{"deletion_allowed", true}});
  Ask("transit/encrypt/k", Items(200, {{"plaintext", ""}}));
  EXPECT_EQ(Send(http::Method::kDelete, "transit/keys/k").status, 204);
  shelf_.Finish();
  EXPECT_EQ(shelf_.answer.status, 503);
  EXPECT_EQ(Get("transit/keys/k").status, 404);
}

}  // namespace
}  // namespace coffer::api
