// A second wire contract works over the same engines, policies and trail, in some thirty lines, and
// serves static files that the trail does not record.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/engine_type.h"
#include "api/face.h"
#include "api/service_fixture.h"
#include "api/shelf/shelf_engine.h"

namespace coffer::api {
namespace {

using http::Method;

// A face that takes the token from the field X-Key, paths without a prefix, and answers plain text
// instead of JSON.
class PlainFace final : public Face {
 public:
  PlainFace(const Registry& registry, const mounts::MountTable& mounts,
            const auth::TokenStore& tokens)
      : registry_(registry), mounts_(mounts), tokens_(tokens) {}
  Caller Identify(const http::Request& request) const override {
    const std::string_view key = request.Header("x-key");
    const auto access = tokens_.Authenticate(key, request.remote_address);
    return access ? Caller{key, access->token, access->rules} : Caller{key};
  }
  Finding Find(const http::Request& request) const override {
    Finding finding;
    finding.path = std::string_view(request.path).substr(1);
    finding.verb = request.method == Method::kPut ? Verb::kWrite : Verb::kRead;
    auto target = Route(registry_, mounts_, finding.path);
    if (target) finding.target = *target;
    if (!target) finding.nowhere = Fail(target.error());
    return finding;
  }
  Result<JsonValue> ReadParameters(const http::Request& request, Verb) const override {
    return ParseJson("{\"text\":\"" + std::string(request.body) + "\"}");
  }
  std::size_t MemoryOfParameters(const http::Request&) const override { return 0; }
  bool BodyIsParameters(const http::Request&, Verb) const override { return false; }
  void WriteError(const Error& error, http::Response& response) const override {
    response.status = error.code == Code::kPermissionDenied ? 401 : 418;
    response.body = "no\n";
    response.content_type = "text/plain";
  }
  void WriteRefusal(std::string_view text, http::Response& response) const override {
    response.body = text;
  }
  std::string_view PathOfTarget(std::string_view target) const override { return target; }

 private:
  const Registry& registry_;
  const mounts::MountTable& mounts_;
  const auth::TokenStore& tokens_;
};

// Serves two files below ui/.
Status ReadFile(const Call& call, Reply& reply) {
  constexpr std::string_view kTag = "\"v1\"";
  if (call.fields.Text("file") != "app.js") return Fail(Code::kNotFound, "");
  reply.headers.emplace_back("ETag", kTag);
  reply.content_type = "text/javascript";
  if (call.request.Header("if-none-match") == kTag) {
    reply.status = 304;
  } else {
    reply.json.Literal("run();");
  }
  return {};
}

std::vector<Endpoint> Files() {
  Endpoint file{"*file", "A file.", {}, {{Verb::kRead, Capability::kRead, ReadFile}}};
  file.fields = {{"file", FieldType::kText, "", "Its path."}};
  file.raw = file.unauthenticated = file.unrecorded = true;
  return {file};
}

constexpr EngineType kFiles{.name = "files",
                            .title = "Files",
                            .place = MountPlace::kBuiltIn,
                            .path = "ui/",
                            .endpoints = Files};

class PathsSink final : public audit::Sink {
 public:
  Status Record(const audit::Entry& entry) override {
    paths.push_back(std::string(entry.path) + " " + std::to_string(entry.status));
    tokens.emplace_back(entry.token);
    return {};
  }
  std::vector<std::string> paths;
  std::vector<std::string> tokens;
};

class SecondFace : public ServiceTest {
 protected:
  audit::Sink& Trail() override { return trail_; }
  std::vector<Registration> MoreEngines() override {
    return {ShelfEngine(shelves_), {&kFiles, {}}};
  }
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_EQ(Post("sys/mounts/shelf", {{"type", "shelf"}}).status, 204);
    plain_ = std::make_unique<Service>(ServicesOf(),
                                       std::make_shared<PlainFace>(*registry_, *mounts_, *tokens_));
    trail_ = {};
  }
  void TearDown() override {
    custodian_->Stop();
    plain_.reset();
    ServiceTest::TearDown();
  }
  http::Response Ask(Method method, const std::string& path, std::string_view body = "",
                     std::string_view field = "x-key", std::string_view text = kToken) {
    http::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    if (!text.empty()) request.headers.emplace_back(field, text);
    http::Response response;
    plain_->Handle(request, response);
    return response;
  }

  Shelves shelves_;
  PathsSink trail_;
  std::unique_ptr<Service> plain_;
};

TEST_F(SecondFace, DoesTheSameWorkInItsOwnShape) {
  EXPECT_EQ(Ask(Method::kPut, "/shelf/notes/a", "hello").status, 204);
  const auto read = Ask(Method::kGet, "/shelf/notes/a");
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.body, R"({"text":"hello"})");
  EXPECT_EQ(DataOf(Get("shelf/notes/a"))["text"], "hello") << "the first face reads it";
  EXPECT_EQ(trail_.paths.front(), "shelf/notes/a 0");
  EXPECT_EQ(trail_.tokens.front(), kToken);
}

TEST_F(SecondFace, RefusesInItsOwnWords) {
  const auto denied = Ask(Method::kGet, "/shelf/notes/a", "", "x-vault-token");
  EXPECT_EQ(denied.status, 401);
  EXPECT_EQ(denied.body, "no\n");
  EXPECT_EQ(denied.content_type, "text/plain");
  EXPECT_EQ(Ask(Method::kGet, "/shelf/notes/none").status, 418);
  EXPECT_EQ(Ask(Method::kGet, "/nowhere").status, 418);
  EXPECT_EQ(trail_.paths.size(), 6U) << "each refusal is recorded";
}

TEST_F(SecondFace, ChangesKeysOnTheCustodiansThread) {
  EXPECT_EQ(Ask(Method::kPut, "/transit/keys/k", "").status, 200);
  EXPECT_EQ(Get("transit/keys/k").status, 200);
}

TEST_F(SecondFace, ServesFilesThatTheTrailDoesNotSee) {
  const auto file = Ask(Method::kGet, "/ui/app.js", "", "", "");
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.body, "run();");
  EXPECT_EQ(file.content_type, "text/javascript");
  const std::vector<std::pair<std::string, std::string>> tag{{"ETag", "\"v1\""}};
  EXPECT_EQ(file.headers, tag);
  EXPECT_EQ(Ask(Method::kGet, "/ui/app.js", "", "if-none-match", "\"v1\"").status, 304);
  EXPECT_EQ(Ask(Method::kGet, "/ui/none", "", "", "").status, 418);
  EXPECT_TRUE(trail_.paths.empty());
}

}  // namespace
}  // namespace coffer::api
