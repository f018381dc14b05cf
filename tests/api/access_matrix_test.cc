// Every operation of every endpoint, asked by callers that may not. It is made from the table of
// endpoints, so that a new endpoint cannot be forgotten.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "api/engine_type.h"
#include "api/service_fixture.h"

namespace coffer::api {
namespace {

std::string PathFor(std::string_view engine_path, std::string_view pattern) {
  std::string path(engine_path);
  while (!pattern.empty()) {
    const std::string_view segment = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(std::min(pattern.size(), segment.size() + 1));
    switch (segment.empty() ? ' ' : segment.front()) {
      case ':':
      case '=':
        path += "k";
        break;
      case '*':
        path += "a/b";
        break;
      default:
        path += segment;
    }
    if (!pattern.empty()) path += '/';
  }
  return path;
}

http::Method MethodOf(Verb verb) {
  switch (verb) {
    case Verb::kRead:
      return http::Method::kGet;
    case Verb::kWrite:
      return http::Method::kPost;
    case Verb::kPatch:
      return http::Method::kPatch;
    case Verb::kDelete:
      return http::Method::kDelete;
    case Verb::kList:
      return http::Method::kList;
    case Verb::kScan:
      break;
  }
  return http::Method::kScan;
}

class AccessMatrix : public ServiceTest {
 protected:
  // Calls `each` with the path and operation of everything that needs a token.
  template <typename Each>
  int ForEachOperation(const Each& each) {
    int count = 0;
    for (const auto& engine : registry_->Engines()) {
      for (const Endpoint& endpoint : engine->Endpoints()) {
        if (endpoint.unauthenticated || endpoint.open != nullptr) continue;
        const std::string path = PathFor(engine->Type().path, endpoint.pattern);
        for (const Operation& operation : endpoint.operations) {
          each(path, operation);
          ++count;
        }
      }
    }
    return count;
  }
  http::Response Ask(const std::string& path, const Operation& operation, std::string_view token,
                     std::string_view address = "127.0.0.1") {
    http::Request request;
    request.method = MethodOf(operation.verb);
    request.path = "/v1/" + path;
    request.remote_address = address;
    if (!token.empty()) request.headers.emplace_back("x-vault-token", token);
    if (operation.verb == Verb::kPatch) {
      request.headers.emplace_back("content-type", "application/merge-patch+json");
    }
    if (operation.verb == Verb::kWrite || operation.verb == Verb::kPatch) request.body = "{}";
    http::Response response;
    service_->Handle(request, response);
    return response;
  }
  static constexpr std::string_view kEverything =
      R"(path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "scan", "sudo"] })";
};

TEST_F(AccessMatrix, NoInvalidTokenDoesAnythingAndAllAreToldTheSame) {
  std::map<std::string, std::string> tokens;
  tokens["none"] = "";
  tokens["unknown"] = "hvs.AAAAAAAAAAAAAAAAAAAAAAAA";
  tokens["of another case"] = "ROOT-TOKEN";
  tokens["revoked"] = TokenWith(std::string(kEverything));
  EXPECT_EQ(Post("auth/token/revoke", {{"token", tokens["revoked"]}}).status, 204);
  tokens["exhausted"] = TokenWith(std::string(kEverything), {{"num_uses", 1}});
  EXPECT_EQ(Send(http::Method::kGet, "auth/token/lookup-self", "", tokens["exhausted"]).status,
            200);
  tokens["child of a revoked one"] = [&] {
    const std::string parent = TokenWith(std::string(kEverything));
    const auto child = Send(http::Method::kPost, "auth/token/create", "{}", parent);
    const std::string token = json::parse(child.body)["auth"]["client_token"];
    EXPECT_EQ(Post("auth/token/revoke", {{"token", parent}}).status, 204);
    return token;
  }();
  EXPECT_EQ(Post("auth/token/roles/bound", {{"token_bound_cidrs", "10.0.0.0/8"}}).status, 204);
  tokens["from another address"] =
      json::parse(Post("auth/token/create/bound").body)["auth"]["client_token"];
  tokens["an accessor"] = tokens_->Lookup(kToken)->token->accessor;
  const std::string refusal = Ask("sys/mounts", {}, "").body;
  const int count = ForEachOperation([&](const std::string& path, const Operation& operation) {
    for (const auto& [kind, token] : tokens) {
      const auto answer = Ask(path, operation, token);
      EXPECT_EQ(answer.status, 403) << kind << ": " << VerbName(operation.verb) << " " << path;
      EXPECT_EQ(answer.body, refusal) << kind << ": " << path;
    }
  });
  EXPECT_GT(count, 80);
}

TEST_F(AccessMatrix, WhoHasEveryOtherCapabilityIsRefused) {
  const int count = ForEachOperation([&](const std::string& path, const Operation& operation) {
    std::string others;
    for (std::size_t i = 0; i < auth::kCapabilityCount; ++i) {
      const auto capability = static_cast<Capability>(i);
      const bool creates =
          operation.capability == Capability::kUpdate && capability == Capability::kCreate;
      if (capability == operation.capability || creates) continue;
      others += "\"" + std::string(auth::CapabilityName(capability)) + "\", ";
    }
    const std::string token = TokenWith("path \"*\" { capabilities = [" + others + "] }");
    EXPECT_EQ(Ask(path, operation, token).status, 403) << VerbName(operation.verb) << " " << path;
  });
  EXPECT_GT(count, 80);
}

TEST_F(AccessMatrix, ADenialOfThePathHoldsAgainstEverything) {
  ForEachOperation([&](const std::string& path, const Operation& operation) {
    const std::string token = TokenWith(std::string(kEverything) + "\npath \"" + path +
                                        "\" { capabilities = [\"deny\"] }");
    EXPECT_EQ(Ask(path, operation, token).status, 403) << path;
    EXPECT_EQ(Ask(path + "/", operation, token).status, 403) << path;
  });
}

TEST_F(AccessMatrix, AProtectedOperationIsRefusedWithoutSudo) {
  int count = 0;
  const std::string token = TokenWith(
      R"(path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "scan"] })");
  ForEachOperation([&](const std::string& path, const Operation& operation) {
    if (!operation.sudo) return;
    ++count;
    EXPECT_EQ(Ask(path, operation, token).status, 403) << path;
    const int with_slash = Ask(path + "/", operation, token).status;
    EXPECT_TRUE(with_slash == 403 || with_slash == 404) << path << ": " << with_slash;
  });
  EXPECT_GE(count, 6);
}

}  // namespace
}  // namespace coffer::api
