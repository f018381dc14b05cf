#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/api/service.h"
#include "coffer/api/system_engine.h"
#include "coffer/api/token_engine.h"
#include "coffer/api/transit_engine.h"
#include "coffer/auth/schema.h"
#include "coffer/base/base64.h"
#include "fakes/row_codes.h"
#include "keyring/key_ring_fixture.h"

namespace coffer::api {

using nlohmann::json;

inline constexpr std::string_view kToken = "root-token";

// The wire API over a real key ring, called without a socket.
class ServiceTest : public keyring::KeyRingTest {
 protected:
  virtual audit::Sink& Trail() { return audit_; }
  virtual std::vector<Registration> MoreEngines() { return {}; }
  virtual Logger& ServiceLog() { return logger_; }
  void SetUp() override {
    KeyRingTest::SetUp();
    ASSERT_TRUE(keys_);
    auto schema = mounts::MountTable::Schema();
    for (const auto& migration : auth::Schema()) schema.push_back(migration);
    tables_ =
        storage::Database::Open({.file = token_.Directory() / "api.db"}, schema, logger_).value();
    Must(fakes::Authenticate(*tables_));
    mounts_ = mounts::MountTable::Load(*tables_, random_, ReservedPaths()).value();
    policies_ = auth::PolicyStore::Load(*tables_, clock_).value();
    tokens_ =
        auth::TokenStore::Load(*tables_, *policies_, SecretBytes(32), random_, clock_).value();
    roles_ = std::make_unique<auth::RoleStore>(*tables_);
    Must(tokens_->SetRootToken(kToken));
    engine_ = std::make_unique<transit::Engine>(*keys_, random_);
    system_ =
        std::make_unique<SystemEngine>(SystemParts{.mounts = *mounts_,
                                                   .tokens = *tokens_,
                                                   .policies = *policies_,
                                                   .random = random_,
                                                   .clock = clock_,
                                                   .info = {},
                                                   .can_serve = [this] { return reachable_; }});
    token_parts_ = std::make_unique<TokenParts>(TokenParts{*tokens_, *policies_, *roles_, clock_});
    transit_ = std::make_unique<TransitParts>(TransitParts{*engine_, *mounts_});
    std::vector<Registration> engines{system_->Registered(), TokenEngine(*token_parts_),
                                      TransitEngine(*transit_)};
    for (const Registration& engine : MoreEngines()) engines.push_back(engine);
    registry_ = Registry::Make(engines).value();
    service_ =
        std::make_unique<Service>(ServicesOf(), MakeVaultFace(*registry_, *mounts_, *tokens_));
    EXPECT_EQ(Post("sys/mounts/transit", {{"type", "transit"}}).status, 204);
  }
  Services ServicesOf() {
    return Services{.registry = *registry_,
                    .mounts = *mounts_,
                    .tokens = *tokens_,
                    .audit = Trail(),
                    .random = random_,
                    .logger = ServiceLog(),
                    .custodian = *custodian_,
                    .lanes = keys_->GetLanes()};
  }
  void TearDown() override {
    if (custodian_) custodian_->Stop();  // requests that wait there refer to the service
    service_.reset();
    registry_.reset();
    tokens_.reset();
    policies_.reset();
    mounts_.reset();
    tables_.reset();
    KeyRingTest::TearDown();
  }

  http::Response Send(http::Method method, const std::string& path, const std::string& body = "",
                      std::string_view token = kToken) {
    http::Request request;
    request.method = method;
    const auto mark = path.find('?');
    request.path = "/v1/" + path.substr(0, mark);
    if (mark != std::string::npos) {
      const std::string pair = path.substr(mark + 1);
      request.query.emplace_back(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
    }
    if (!token.empty()) request.headers.emplace_back("x-vault-token", token);
    request.body = body;
    http::Response response;
    service_->Handle(request, response);
    return response;
  }
  http::Response Get(const std::string& path) { return Send(http::Method::kGet, path); }
  http::Response Post(const std::string& path, const json& body = json::object()) {
    return Send(http::Method::kPost, path, body.dump());
  }
  // A token that has this policy alone.
  std::string TokenWith(const std::string& policy_text, json settings = json::object()) {
    const std::string policy = "test-" + std::to_string(++policies_made_);
    Must(policies_->Write(policy, policy_text));
    settings["policies"] = policy;
    settings["no_default_policy"] = true;
    const auto made = Post("auth/token/create", settings);
    EXPECT_EQ(made.status, 200) << made.body;
    return json::parse(made.body)["auth"]["client_token"];
  }
  static std::string ErrorOf(const http::Response& response) {
    const json body = json::parse(response.body);
    return body["errors"].empty() ? "" : body["errors"][0].get<std::string>();
  }
  static json DataOf(const http::Response& response) { return json::parse(response.body)["data"]; }
  std::string Seal(const std::string& key, std::string_view plaintext) {
    const auto answer =
        Post("transit/encrypt/" + key, {{"plaintext", Base64Encode(AsBytes(plaintext))}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return DataOf(answer)["ciphertext"];
  }

  audit::NullSink audit_;
  bool reachable_ = true;
  int policies_made_ = 0;
  std::unique_ptr<storage::Database> tables_;
  std::unique_ptr<mounts::MountTable> mounts_;
  std::unique_ptr<auth::PolicyStore> policies_;
  std::unique_ptr<auth::TokenStore> tokens_;
  std::unique_ptr<auth::RoleStore> roles_;
  std::unique_ptr<transit::Engine> engine_;
  std::unique_ptr<SystemEngine> system_;
  std::unique_ptr<TokenParts> token_parts_;
  std::unique_ptr<TransitParts> transit_;
  std::unique_ptr<const Registry> registry_;
  std::unique_ptr<Service> service_;
};

}  // namespace coffer::api
