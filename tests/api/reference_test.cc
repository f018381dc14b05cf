#include "coffer/api/reference.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "api/engine_type.h"
#include "api/vault/openapi.h"

namespace coffer::api {
namespace {

using nlohmann::json;

std::string Page(const std::string& name) {
  std::ifstream in(std::filesystem::path(COFFER_SOURCE_DIR) / "docs" / name);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "transit/keys/:name", as the reference and docs/compat.md write it.
std::string ShownPath(const RegisteredEngine& engine, const Endpoint& endpoint) {
  return std::string(engine.Type().path) + std::string(endpoint.pattern);
}

TEST(ApiReference, IsWhatDocsHold) {
  EXPECT_TRUE(Page("api/reference.md") == ApiReference(EnginesOfProgram()))
      << "docs/api/reference.md is not current: coffer api-docs > docs/api/reference.md";
}

TEST(ApiReference, GivesEveryEndpointAndFieldASentence) {
  for (const auto& engine : EnginesOfProgram().Engines()) {
    for (const Endpoint& endpoint : engine->Endpoints()) {
      EXPECT_TRUE(endpoint.help.ends_with('.')) << ShownPath(*engine, endpoint);
      for (const FieldSpec& field : endpoint.fields) {
        EXPECT_TRUE(field.help.ends_with('.')) << ShownPath(*engine, endpoint) << " " << field.name;
      }
    }
  }
}

TEST(CompatibilityPage, NamesEveryEndpointAsThere) {
  const std::string page = Page("compat.md");
  for (const auto& engine : EnginesOfProgram().Engines()) {
    for (const Endpoint& endpoint : engine->Endpoints()) {
      const std::string row = "| `" + ShownPath(*engine, endpoint) + "` | yes";
      EXPECT_NE(page.find(row), std::string::npos) << "docs/compat.md has no row: " << row;
    }
  }
}

TEST(CompatibilityPage, ClaimsNoEndpointThatIsNotThere) {
  std::set<std::string> there;
  for (const auto& engine : EnginesOfProgram().Engines()) {
    for (const Endpoint& endpoint : engine->Endpoints()) {
      there.insert(ShownPath(*engine, endpoint));
    }
  }
  const std::string page = Page("compat.md");
  int rows = 0;
  for (std::size_t at = 0; (at = page.find("\n| `", at)) != std::string::npos; ++at) {
    const std::size_t begin = at + 4;
    const std::string path = page.substr(begin, page.find('`', begin) - begin);
    const bool yes = page.compare(begin + path.size(), 7, "` | yes") == 0;
    EXPECT_EQ(yes, there.contains(path)) << path;
    ++rows;
  }
  EXPECT_GT(rows, 40);
}

TEST(OpenApiDocument, HasEveryEndpointWithItsMethodsAndCaptures) {
  const json document = json::parse(OpenApiDocument(EnginesOfProgram()));
  std::size_t count = 0;
  for (const auto& engine : EnginesOfProgram().Engines()) {
    for (const Endpoint& endpoint : engine->Endpoints()) {
      ++count;
      const std::string path = OpenApiPath(endpoint, *engine);
      ASSERT_TRUE(document["paths"].contains(path)) << path;
      const json& item = document["paths"][path];
      for (const Operation& operation : endpoint.operations) {
        const bool get = operation.verb == Verb::kRead || operation.verb == Verb::kList;
        const char* const method = get                               ? "get"
                                   : operation.verb == Verb::kWrite  ? "post"
                                   : operation.verb == Verb::kDelete ? "delete"
                                   : operation.verb == Verb::kPatch  ? "patch"
                                                                     : "none";
        EXPECT_TRUE(item.contains(method)) << path << " " << VerbName(operation.verb);
      }
      for (const auto& parameter : item["parameters"]) {
        EXPECT_NE(path.find("{" + parameter["name"].get<std::string>() + "}"), std::string::npos);
      }
    }
  }
  EXPECT_EQ(document["paths"].size(), count) << "two endpoints share a path";
}

TEST(OpenApiDocument, DescribesFieldsByTypeDefaultAndSecrecy) {
  const json document = json::parse(OpenApiDocument(EnginesOfProgram()));
  const json& item = document["paths"]["/{transit_mount_path}/encrypt/{name}"];
  EXPECT_EQ(item["parameters"][0]["schema"]["default"], "transit");
  const json& properties =
      item["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"];
  EXPECT_FALSE(properties.contains("name"));
  EXPECT_EQ(properties["key_version"]["allOf"][0], json({{"type", "integer"}, {"default", 0}}));
  EXPECT_EQ(properties["plaintext"]["allOf"][0]["x-vault-displayAttrs"]["sensitive"], true);
  const json& keys = document["paths"]["/{transit_mount_path}/keys"]["get"]["parameters"];
  EXPECT_EQ(keys[0]["name"], "list");
  EXPECT_EQ(keys[0]["required"], true);
  EXPECT_EQ(document["paths"]["/sys/health"]["get"]["security"], json::array());
}

}  // namespace
}  // namespace coffer::api
