// An answer may give a lease, a token and a wrapping beside its data; the trail has all three.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/engine_type.h"
#include "api/service_fixture.h"

namespace coffer::api {
namespace {

Status Give(const Call& call, Reply& reply) {
  const std::string_view what = call.fields.Text("what");
  if (what == "lease") {
    reply.lease = {.id = "given/give/lease/1\"2", .renewable = true, .seconds = 3600};
  } else if (what == "auth") {
    reply.secret = true;
    reply.auth = {.token = "hvs.new",
                  .accessor = "acc",
                  .policies = {"default", "p"},
                  .metadata = {{"role", "r"}},
                  .entity_id = "e",
                  .type = "service",
                  .lease_seconds = 60,
                  .uses = 2,
                  .renewable = true,
                  .orphan = true};
    return {};
  } else if (what == "wrapping") {
    reply.wrapping = {.token = "hvs.wrap",
                      .accessor = "acc",
                      .seconds = 120,
                      .created = "2026-01-02T03:04:05Z",
                      .creation_path = "given/give/wrapping",
                      .wrapped_accessor = "inner"};
    return {};
  }
  reply.json.BeginObject().Key("user").Text("u").EndObject();
  return {};
}

std::vector<Endpoint> Endpoints() {
  Endpoint give{"give/:what", "Gives.", {}, {{Verb::kRead, Capability::kRead, Give}}};
  give.fields = {{"what", FieldType::kText, "", "What."}};
  return {give};
}

constexpr EngineType kGiving{.name = "giving",
                             .title = "Giving",
                             .place = MountPlace::kBuiltIn,
                             .path = "given/",
                             .endpoints = Endpoints};

class PartsSink final : public audit::Sink {
 public:
  Status Record(const audit::Entry& entry) override {
    if (entry.type == audit::Entry::Type::kRequest) return {};
    data = entry.response_data;
    lease = entry.response_lease;
    auth = entry.response_auth;
    wrapping = entry.response_wrapping;
    return {};
  }
  std::string data;
  std::string lease;
  std::string auth;
  std::string wrapping;
};

class AnswerParts : public ServiceTest {
 protected:
  audit::Sink& Trail() override { return trail_; }
  std::vector<Registration> MoreEngines() override { return {{&kGiving, {}}}; }
  json Given(const std::string& what) { return json::parse(Get("given/give/" + what).body); }
  PartsSink trail_;
};

TEST_F(AnswerParts, AreAbsentWhereNothingIsGiven) {
  const json answer = Given("nothing");
  EXPECT_EQ(answer["lease_id"], "");
  EXPECT_EQ(answer["renewable"], false);
  EXPECT_EQ(answer["lease_duration"], 0);
  EXPECT_TRUE(answer["auth"].is_null());
  EXPECT_TRUE(answer["wrap_info"].is_null());
  EXPECT_EQ(trail_.lease + trail_.auth + trail_.wrapping, "");
}

TEST_F(AnswerParts, ALeaseStandsBeforeTheData) {
  const json answer = Given("lease");
  EXPECT_EQ(answer["lease_id"], "given/give/lease/1\"2");
  EXPECT_EQ(answer["renewable"], true);
  EXPECT_EQ(answer["lease_duration"], 3600);
  EXPECT_EQ(answer["data"], json({{"user", "u"}}));
  EXPECT_EQ(trail_.data, R"({"user":"u"})");
  EXPECT_EQ(json::parse(trail_.lease), json({{"lease_id", "given/give/lease/1\"2"}}));
}

TEST_F(AnswerParts, AnAuthIsWhatALoginAnswers) {
  const http::Response response = Get("given/give/auth");
  EXPECT_TRUE(response.wipe);
  const json answer = json::parse(response.body);
  EXPECT_TRUE(answer["data"].is_null());
  EXPECT_EQ(answer["auth"], json({{"client_token", "hvs.new"},
                                  {"accessor", "acc"},
                                  {"policies", {"default", "p"}},
                                  {"token_policies", {"default", "p"}},
                                  {"metadata", {{"role", "r"}}},
                                  {"lease_duration", 60},
                                  {"renewable", true},
                                  {"entity_id", "e"},
                                  {"token_type", "service"},
                                  {"orphan", true},
                                  {"mfa_requirement", nullptr},
                                  {"num_uses", 2}}));
  EXPECT_EQ(json::parse(trail_.auth)["client_token"], "hvs.new");
}

TEST_F(AnswerParts, AWrappingNamesItsToken) {
  const json answer = Given("wrapping");
  EXPECT_EQ(answer["wrap_info"], json({{"token", "hvs.wrap"},
                                       {"accessor", "acc"},
                                       {"ttl", 120},
                                       {"creation_time", "2026-01-02T03:04:05Z"},
                                       {"creation_path", "given/give/wrapping"},
                                       {"wrapped_accessor", "inner"}}));
  EXPECT_EQ(json::parse(trail_.wrapping)["token"], "hvs.wrap");
}

}  // namespace
}  // namespace coffer::api
