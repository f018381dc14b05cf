// A secret that came as a form is in no memory that was given back.

#include <gtest/gtest.h>

#include <string>

#include "api/audit_trail.h"
#include "api/freed_memory.h"
#include "api/vault/request_reader.h"

namespace coffer::api {
namespace {

constexpr std::string_view kSecret = "Zm9ybSBzZWNyZXQgdGhhdCBtdXN0IG5vdCBzdGF5";

class FormSecretsTest : public ::testing::Test {
 protected:
  FormSecretsTest() {
    request_.method = http::Method::kPost;
    request_.path = "/v1/transit/encrypt/k";
    request_.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  }
  // Reads and records the form, and wipes what was read, as the service does.
  Status Handle(const std::string& body) {
    request_.body = body;
    COFFER_ASSIGN(JsonValue parameters, ReadParameters(request_, Verb::kWrite));
    audit::NullSink sink;
    {
      AuditTrail trail(sink, request_, "id", "transit/encrypt/k");
      trail.NoteParameters(parameters);
      COFFER_TRY(trail.RecordRequest());
    }
    parameters.Wipe();
    return {};
  }
  http::Request request_;
};

TEST_F(FormSecretsTest, TheWatchSeesASecretThatIsNotWiped) {
  WatchFreedMemory(kSecret);
  { const std::string careless(kSecret); }
  EXPECT_EQ(FreedWithText(), 1);
}

TEST_F(FormSecretsTest, AreWipedWhereverTheyWereCopied) {
  std::string body = "context=%41%42&plaintext=" + std::string(kSecret) + "&other=";
  for (int i = 0; i < 1000; ++i) body += "%22";
  for (int i = 0; i < 40; ++i) body += "&short" + std::to_string(i) + "=x";
  body += "&input=" + std::string(kSecret);
  WatchFreedMemory(kSecret);
  EXPECT_TRUE(Handle(body));
  EXPECT_EQ(FreedWithText(), 0);
}

TEST_F(FormSecretsTest, AreWipedToWhereTheFormIsRefused) {
  const std::string secret = "plaintext=" + std::string(kSecret);
  for (const std::string& body :
       {secret + "&input=%zz", secret + "%zz", secret + "&input=%ff", secret + "%ff"}) {
    WatchFreedMemory(kSecret);
    EXPECT_FALSE(Handle(body));
    EXPECT_EQ(FreedWithText(), 0) << body;
  }
}

}  // namespace
}  // namespace coffer::api
