// The service admits a request by its head, before memory is given to its body.

#include <string>

#include "api/service_fixture.h"

namespace coffer::api {
namespace {

class AdmissionTest : public ServiceTest {
 protected:
  http::Admission Admit(const std::string& path, std::string_view token = "") {
    http::Request head;
    head.method = http::Method::kPut;
    head.path = path;
    if (!token.empty()) head.headers.emplace_back("x-vault-token", token);
    return service_->Admit(head);
  }
};

TEST_F(AdmissionTest, ATokenOwnsItsRequestsAndNoOtherTextDoes) {
  const http::Admission known = Admit("/v1/transit/encrypt/k", kToken);
  EXPECT_NE(known.owner, http::kUnknownOwner);
  EXPECT_EQ(known.owner, Admit("/v1/sys/mounts", kToken).owner);
  EXPECT_GT(known.max_body_bytes, 1UL << 30) << "the front door's own limit holds";
  EXPECT_EQ(Admit("/v1/transit/encrypt/k").owner, http::kUnknownOwner);
  EXPECT_EQ(Admit("/v1/transit/encrypt/k", "s.other").owner, http::kUnknownOwner);
}

TEST_F(AdmissionTest, ALargeBodyWithoutATokenIsDeniedAsASmallOneIs) {
  for (const char* path : {"/v1/transit/encrypt/k", "/v1/nowhere/x", "/elsewhere"}) {
    const http::Admission admission = Admit(path, "s.other");
    EXPECT_EQ(admission.too_large_status, 403) << path;
    EXPECT_EQ(std::string_view(admission.too_large), "permission denied");
  }
}

TEST_F(AdmissionTest, AnEndpointThatNeedsNoTokenTakesAFewKilobytesFromAnybody) {
  for (const char* path : {"/v1/sys/init", "/v1/sys/health", "/v1/sys/seal-status",
                           "/v1/sys/internal/specs/openapi"}) {
    for (const std::string_view token : {std::string_view(), std::string_view(kToken)}) {
      const http::Admission admission = Admit(path, token);
      EXPECT_LE(admission.max_body_bytes, 4096U) << path;
      EXPECT_EQ(admission.too_large_status, 413) << path;
    }
  }
}

TEST_F(AdmissionTest, WhatIsAnsweredToATokenCountsAsItsOwn) {
  const http::Owner owner = Admit("/v1/sys/mounts", kToken).owner;
  EXPECT_EQ(Get("sys/mounts").owner, owner);
  EXPECT_EQ(Send(http::Method::kGet, "sys/mounts", "", "").owner, http::kUnknownOwner);
}

// Refuses everything, and keeps what it was asked for.
class FullMemory final : public http::Memory {
 public:
  bool Take(std::size_t bytes) override {
    asked += bytes;
    return false;
  }
  std::size_t asked = 0;
};

TEST_F(AdmissionTest, AParametersMemoryIsAskedForBeforeItIsUsed) {
  FullMemory memory;
  http::Request request;
  request.method = http::Method::kPost;
  request.path = "/v1/transit/encrypt/k";
  request.headers.emplace_back("x-vault-token", kToken);
  request.memory = &memory;
  const std::string large = "{" + std::string(100'000, ' ') + "}";
  request.body = large;
  http::Response response;
  service_->Handle(request, response);
  EXPECT_EQ(response.status, 503);
  EXPECT_GT(memory.asked, large.size());
  request.body = "{}";
  http::Response small;
  service_->Handle(request, small);
  EXPECT_EQ(small.status, 400);
}

}  // namespace
}  // namespace coffer::api
