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

// Has room for `room` bytes, and counts what it is asked for.
class BoundedMemory final : public http::Memory {
 public:
  void SetOwner(http::Owner known) override { owner = known; }
  Status Take(std::size_t bytes) override {
    asked += bytes;
    if (asked > room) return Fail(Code::kUnavailable, "full: at most 7 bytes");
    return {};
  }
  http::Owner owner = http::kUnknownOwner;
  std::size_t room = 0;
  std::size_t asked = 0;
};

class ParametersMemory : public AdmissionTest {
 protected:
  http::Response Ask(const std::string& body, std::string_view media = "") {
    http::Request request;
    request.method = http::Method::kPost;
    request.path = "/v1/transit/encrypt/k";
    request.headers.emplace_back("x-vault-token", kToken);
    if (!media.empty()) request.headers.emplace_back("content-type", media);
    request.memory = &memory_;
    request.body = body;
    http::Response response;
    service_->Handle(request, response);
    return response;
  }
  BoundedMemory memory_;
};

TEST_F(ParametersMemory, IsAskedForBeforeItIsUsed) {
  const auto refused = Ask("{" + std::string(100'000, ' ') + "}");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(ErrorOf(refused), "full: at most 7 bytes");
  EXPECT_EQ(memory_.owner, Admit("/v1/sys/mounts", kToken).owner);
  EXPECT_GT(memory_.asked, 100'000U);
  EXPECT_EQ(Ask("{}").status, 400);
}

TEST_F(ParametersMemory, CountsEachValueOfABodyOfSomeKilobytes) {
  std::string many = "{\"x\":[0";
  for (int i = 0; i < 10'000; ++i) many += ",0";
  EXPECT_EQ(Ask(many + "]}").status, 503);
  EXPECT_GT(memory_.asked, 10'000U * 100);
}

TEST_F(ParametersMemory, CountsWhatAFormTakesInItsRecord) {
  const std::string form = "plaintext=" + std::string(10'000, '\x01');
  memory_.room = 40'000;  // its texts fit
  EXPECT_EQ(Ask(form, "application/x-www-form-urlencoded").status, 503);
  EXPECT_GT(memory_.asked, 60'000U) << "each control character is an escape of six bytes";
}

}  // namespace
}  // namespace coffer::api
