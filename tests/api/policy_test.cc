// A caller that may not do something is told so before anything else happens.

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/service_fixture.h"

namespace coffer::api {
namespace {

// Allows everything except the paths below `fence`.
class FencingPolicy final : public Policy {
 public:
  Decision Decide(const auth::TokenEntry&, Capability, std::string_view path) const override {
    asked.emplace_back(path);
    if (!fence.empty() && path.starts_with(fence)) return {false, {}, "behind the fence"};
    return {true, "fencing", {}};
  }
  std::string fence;
  mutable std::vector<std::string> asked;  // the paths
};

// Parks no request, and counts how often it is asked.
class FullParking final : public http::Parking {
 public:
  Result<std::unique_ptr<http::Parked>> Park() override {
    ++asked;
    return Fail(Code::kUnavailable, "full");
  }
  int asked = 0;
};

class PolicyTest : public ServiceTest {
 protected:
  const Policy& Policies() override { return fencing_; }
  // Sends a request that could be parked, and returns its status.
  int Change(http::Method method, const std::string& path, const std::string& body = "{}") {
    http::Request request;
    request.method = method;
    request.path = "/v1/" + path;
    request.headers.emplace_back("x-vault-token", kToken);
    request.body = body;
    request.parking = &parking_;
    http::Response response;
    service_->Handle(request, response);
    return response.status;
  }
  FencingPolicy fencing_;
  FullParking parking_;
};

TEST_F(PolicyTest, ADeniedChangeIsRefusedBeforeItMayWait) {
  EXPECT_EQ(Post("transit/keys/k").status, 200);
  fencing_.fence = "transit/";
  for (const char* const path :
       {"transit/keys/new", "transit/keys/k/rotate", "transit/encrypt/new"}) {
    EXPECT_EQ(Change(http::Method::kPost, path, R"({"plaintext":""})"), 403) << path;
  }
  EXPECT_EQ(Change(http::Method::kDelete, "transit/keys/k"), 403);
  EXPECT_EQ(parking_.asked, 0);
  fencing_.fence.clear();
  EXPECT_EQ(Change(http::Method::kPost, "transit/keys/new"), 503);
  EXPECT_EQ(Change(http::Method::kPost, "transit/encrypt/new", R"({"plaintext":""})"), 503);
  EXPECT_EQ(parking_.asked, 2);
}

TEST_F(PolicyTest, AChangeThatCannotBeReadDoesNotWaitEither) {
  EXPECT_EQ(Change(http::Method::kPost, "transit/keys/new", "{"), 400);
  EXPECT_EQ(Change(http::Method::kPost, "transit/keys/new", R"({"derived":[]})"), 400);
  EXPECT_EQ(parking_.asked, 0);
}

TEST_F(PolicyTest, WhoIsDeniedAPathDoesNotLearnWhatItMeans) {
  fencing_.fence = "transit/";
  EXPECT_EQ(Get("transit/nothing").status, 403);
  EXPECT_EQ(Get("transit/encrypt/k").status, 403) << "a verb that it does not have";
  fencing_.fence = "nowhere/";
  EXPECT_EQ(Get("nowhere/x").status, 403);
  EXPECT_EQ(Get("elsewhere/x").status, 404);
}

TEST_F(PolicyTest, AnEndpointHasOnePathHoweverTheRequestEnds) {
  EXPECT_EQ(Post("transit/keys/k").status, 200);
  fencing_.asked.clear();
  for (const char* const path : {"sys/mounts/transit", "sys/mounts/transit/"}) {
    EXPECT_EQ(Get(path).status, 200);
  }
  for (const char* const path : {"transit/keys", "transit/keys/"}) {
    EXPECT_EQ(Send(http::Method::kList, path).status, 200);
  }
  for (const char* const path : {"transit/encrypt/k/", "transit/nothing/"}) {
    EXPECT_EQ(Post(path).status, 404);
  }
  EXPECT_EQ(fencing_.asked,
            (std::vector<std::string>{"sys/mounts/transit", "sys/mounts/transit", "transit/keys/",
                                      "transit/keys/", "transit/encrypt/k", "transit/nothing"}));
}

TEST_F(PolicyTest, HelpIsForEveryTokenAndForNobodyElse) {
  fencing_.fence = "transit/";
  EXPECT_EQ(Get("transit/encrypt/k?help=1").status, 200);
  EXPECT_EQ(Get("transit/?help=1").status, 200);
  EXPECT_EQ(Get("transit/nothing?help=1").status, 403);
  EXPECT_EQ(Send(http::Method::kGet, "transit/encrypt/k?help=1", "", "").status, 403);
  EXPECT_EQ(Send(http::Method::kGet, "transit/encrypt/k?help=1", "", "wrong").status, 403);
}

}  // namespace
}  // namespace coffer::api
