#include "coffer/api/service.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/service_fixture.h"
#include "coffer/base/base64.h"

namespace coffer::api {
namespace {

TEST_F(ServiceTest, EncryptsRotatesRewrapsAndDecrypts) {
  const std::string old = Seal("k", "hello");
  EXPECT_TRUE(old.starts_with("vault:v1:"));
  EXPECT_EQ(DataOf(Post("transit/keys/k/rotate"))["latest_version"], 2);
  const auto rewrapped = DataOf(Post("transit/rewrap/k", {{"ciphertext", old}}));
  EXPECT_EQ(rewrapped["key_version"], 2);
  const auto opened = Post("transit/decrypt/k", {{"ciphertext", rewrapped["ciphertext"]}});
  EXPECT_EQ(DataOf(opened)["plaintext"], "aGVsbG8=");
  EXPECT_TRUE(opened.wipe);
  EXPECT_EQ(Post("transit/keys/k/config", {{"min_decryption_version", "2"}}).status, 200);
  const auto refused = Post("transit/decrypt/k", {{"ciphertext", old}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(ErrorOf(refused), "ciphertext or signature version is disallowed by policy (too old)");
}

TEST_F(ServiceTest, SkipsCurrentCiphertextsInRewrapWhereAsked) {
  const std::string sealed = Seal("k", "hello");
  const auto same = Post("transit/rewrap/k", {{"ciphertext", sealed}, {"skip_current", true}});
  EXPECT_EQ(DataOf(same)["ciphertext"], sealed);
  EXPECT_NE(DataOf(Post("transit/rewrap/k", {{"ciphertext", sealed}}))["ciphertext"], sealed);
}

TEST_F(ServiceTest, BindsAssociatedData) {
  const auto sealed =
      DataOf(Post("transit/encrypt/k", {{"plaintext", "aGVsbG8="}, {"associated_data", "YQ=="}}));
  EXPECT_EQ(
      Post("transit/decrypt/k", {{"ciphertext", sealed["ciphertext"]}, {"associated_data", "YQ=="}})
          .status,
      200);
  const auto refused = Post("transit/decrypt/k", {{"ciphertext", sealed["ciphertext"]}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(ErrorOf(refused), "cipher: message authentication failed");
}

TEST_F(ServiceTest, BatchesCarryReferencesAndTheirOwnErrors) {
  const json batch = {{"batch_input",
                       {{{"plaintext", "aGVsbG8="}, {"reference", "a\"b"}},
                        {{"plaintext", "!"}, {"reference", "bad"}}}}};
  const auto answer = Post("transit/encrypt/k", batch);
  EXPECT_EQ(answer.status, 400);
  const json results = DataOf(answer)["batch_results"];
  EXPECT_EQ(results[0]["reference"], "a\"b");
  EXPECT_EQ(results[0]["key_version"], 1);
  EXPECT_EQ(results[1]["error"], "illegal base64 data at input byte 0");
  json with_code = batch;
  with_code["partial_failure_response_code"] = 202;
  EXPECT_EQ(Post("transit/encrypt/k", with_code).status, 202);
  with_code["partial_failure_response_code"] = 999;
  const auto reverted = Post("transit/encrypt/k", with_code);
  EXPECT_EQ(reverted.status, 400);
  EXPECT_EQ(json::parse(reverted.body)["warnings"][0],
            "invalid HTTP response code override from partial_failure_response_code, reverting to "
            "400");
}

TEST_F(ServiceTest, RefusesAWholeBatchThatLacksAPlaintext) {
  const auto answer = Post("transit/encrypt/k", {{"batch_input", {{{"reference", "x"}}}}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(ErrorOf(answer),
            "failed to parse batch input: '[0].plaintext' missing plaintext to encrypt");
  EXPECT_EQ(ErrorOf(Post("transit/encrypt/k", {{"batch_input", json::array()}})),
            "missing batch input to process");
  EXPECT_EQ(Get("transit/keys/k").status, 404) << "a refused batch must not make a key";
}

TEST_F(ServiceTest, AnswersInTheReferencesWords) {
  EXPECT_EQ(Post("transit/keys/k").status, 200);
  const struct {
    http::Response response;
    int status;
    std::string error;
  } kCases[] = {
      {Post("transit/encrypt/k"), 400, "missing plaintext to encrypt"},
      {Post("transit/encrypt/k", {{"plaintext", "!"}}), 400, "illegal base64 data at input byte 0"},
      {Post("transit/encrypt/k", {{"plaintext", ""}, {"key_version", 9}}), 400,
       "requested version for encryption is higher than the latest key version"},
      {Post("transit/decrypt/k"), 400, "missing ciphertext to decrypt"},
      {Post("transit/decrypt/k", {{"ciphertext", "x"}}), 400, "invalid ciphertext: no prefix"},
      {Post("transit/decrypt/none", {{"ciphertext", "vault:v1:AAAA"}}), 400,
       "encryption key not found"},
      {Post("transit/datakey/other/k"), 400, "Invalid path, must be 'plaintext' or 'wrapped'"},
      {Post("transit/datakey/plaintext/k", {{"bits", 100}}), 400, "invalid bit length"},
      {Post("transit/keys/x", {{"type", "nonsense"}}), 400, "unknown key type nonsense"},
      {Post("transit/keys/x", {{"exportable", true}}), 400,
       "exporting keys is disabled on this server (key_export = \"none\")"},
      {Post("transit/keys/x", {{"type", "rsa-2048"}, {"derived", "1"}}), 400,
       "key derivation and convergent encryption not supported for keys of type rsa-2048"},
      {Post("transit/keys/none/rotate"), 400, "key not found"},
      {Post("transit/keys/none/config"), 400, "no existing key named none could be found"},
      {Post("transit/keys/k/trim"), 400, "missing min_available_version"},
      {Send(http::Method::kDelete, "transit/keys/k"), 400,
       "error deleting policy k: deletion is not allowed for this key"},
      {Send(http::Method::kDelete, "transit/keys/none"), 400,
       "error deleting policy none: could not delete key; not found"},
      {Post("transit/random/200000"), 400, "'bytes' should be less than 131072"},
      {Post("transit/hash"), 400, "input missing"},
      {Get("transit/keys/none"), 404, ""},
      {Get("nowhere/x"), 404, "no handler for route \"nowhere/x\". route entry not found."},
      {Get("transit/nothing"), 404, "1 error occurred:\n\t* unsupported path\n\n"},
      {Post("transit/keys/-bad"), 404, "1 error occurred:\n\t* unsupported path\n\n"},
      {Get("transit/encrypt/k"), 405, "1 error occurred:\n\t* unsupported operation\n\n"},
      {Get("transit/keys?scan=true"), 405, "1 error occurred:\n\t* unsupported operation\n\n"},
      {Post("sys/mounts/transit", {{"type", "transit"}}), 400,
       "path is already in use at transit/"},
      {Post("sys/mounts/kv", {{"type", "kv"}}), 400, "plugin not found in the catalog: kv"},
      {Post("sys/mounts/kv"), 400, "backend type must be specified as a string"},
      {Get("sys/mounts/none"), 400, "No secret engine mount at none/"},
      {Post("sys/init"), 400, "Vault is already initialized"},
      {Send(http::Method::kPost, "transit/keys/k", "{"), 400,
       "failed to parse JSON input: unexpected end of input at byte 1"},
  };
  for (const auto& item : kCases) {
    EXPECT_EQ(item.response.status, item.status) << item.error;
    EXPECT_EQ(ErrorOf(item.response), item.error);
  }
}

TEST_F(ServiceTest, SaysNothingAboutPathsToStrangers) {
  for (const char* path : {"transit/keys/k", "nowhere/x", "transit/nothing", "sys/mounts"}) {
    for (const char* token : {"", "wrong"}) {
      const auto answer = Send(http::Method::kGet, path, "", token);
      EXPECT_EQ(answer.status, 403) << path;
      EXPECT_EQ(ErrorOf(answer), "1 error occurred:\n\t* permission denied\n\n");
    }
  }
  const auto upsert = Send(http::Method::kPost, "transit/encrypt/k", R"({"plaintext":""})", "");
  EXPECT_EQ(upsert.status, 403);
  EXPECT_EQ(Get("transit/keys/k").status, 404);
}

TEST_F(ServiceTest, ListsKeysBothWaysAndAnswers404ForNone) {
  EXPECT_EQ(Get("transit/keys?list=true").status, 404);
  EXPECT_EQ(Get("transit/keys?list=true").body, "{\"errors\":[]}\n");
  Post("transit/keys/b");
  Post("transit/keys/a");
  EXPECT_EQ(DataOf(Get("transit/keys?list=true"))["keys"], (json{"a", "b"}));
  EXPECT_EQ(DataOf(Send(http::Method::kList, "transit/keys/"))["keys"], (json{"a", "b"}));
}

TEST_F(ServiceTest, DisablingAMountDestroysItsKeys) {
  const std::string sealed = Seal("k", "hello");
  EXPECT_EQ(Send(http::Method::kDelete, "sys/mounts/transit").status, 204);
  EXPECT_EQ(Get("transit/keys/k").status, 404);
  EXPECT_EQ(Post("sys/mounts/transit", {{"type", "transit"}}).status, 204);
  EXPECT_EQ(Post("transit/decrypt/k", {{"ciphertext", sealed}}).status, 400);
}

TEST_F(ServiceTest, KeysFollowTheirMountToItsNewPath) {
  const std::string sealed = Seal("k", "hello");
  const auto moved = Post("sys/remount", {{"from", "transit"}, {"to", "team/a"}});
  ASSERT_EQ(moved.status, 200) << moved.body;
  const std::string id = json::parse(moved.body)["migration_id"];
  EXPECT_EQ(DataOf(Get("sys/remount/status/" + id))["migration_info"]["status"], "success");
  EXPECT_EQ(Post("team/a/decrypt/k", {{"ciphertext", sealed}}).status, 200);
}

TEST_F(ServiceTest, RepeatsMountsAtTheTopForOldClients) {
  const json body = json::parse(Get("sys/mounts").body);
  EXPECT_EQ(body["data"]["transit/"], body["transit/"]);
  EXPECT_EQ(body["transit/"]["type"], "transit");
  EXPECT_TRUE(body["data"].contains("sys/"));
  EXPECT_FALSE(body["data"].contains("cubbyhole/")) << "it answers nothing";
}

TEST_F(ServiceTest, HealthIsBadWhileTheTokenIsLost) {
  EXPECT_EQ(Send(http::Method::kGet, "sys/health", "", "").status, 200);
  EXPECT_EQ(Get("sys/health?activecode=299").status, 299);
  reachable_ = false;
  EXPECT_EQ(Get("sys/health?activecode=200").status, 503);
  // The http room leaves out the body of an answer to HEAD and states its size (RFC 9110, 9.3.2).
  EXPECT_FALSE(Send(http::Method::kHead, "sys/health").body.empty());
}

TEST_F(ServiceTest, TellsACallerWhatItsTokenIs) {
  const auto answer = Get("auth/token/lookup-self");
  EXPECT_EQ(DataOf(answer)["id"], kToken);
  EXPECT_EQ(DataOf(answer)["policies"], json{"root"});
  EXPECT_TRUE(answer.wipe);
}

TEST_F(ServiceTest, TellsWhatATokenIsByItselfAndByItsAccessor) {
  const auto self = DataOf(Get("auth/token/lookup-self"));
  const auto same = Post("auth/token/lookup", {{"token", kToken}});
  EXPECT_EQ(DataOf(same), self);
  EXPECT_TRUE(same.wipe);
  EXPECT_EQ(DataOf(Post("auth/token/lookup")), self);
  const auto wrong = Post("auth/token/lookup", {{"token", "wrong"}});
  EXPECT_EQ(wrong.status, 403);
  EXPECT_NE(wrong.body.find("bad token"), std::string::npos);
  const auto known = Post("auth/token/lookup-accessor", {{"accessor", self["accessor"]}});
  EXPECT_EQ(DataOf(known)["id"], "") << "an accessor must not give the token away";
  EXPECT_EQ(DataOf(known)["policies"], self["policies"]);
  EXPECT_EQ(Post("auth/token/lookup-accessor", {{"accessor", "wrong"}}).status, 400);
  EXPECT_EQ(
      Send(http::Method::kPost, "auth/token/lookup", json{{"token", kToken}}.dump(), "").status,
      403)
      << "who asks needs a token of his own";
}

TEST_F(ServiceTest, WritesHelpFromTheDeclaration) {
  const json help = json::parse(Get("transit/encrypt/k?help=1").body);
  EXPECT_NE(help["help"].get<std::string>().find("partial_failure_response_code"),
            std::string::npos);
  EXPECT_TRUE(help["openapi"]["paths"].contains("/{transit_mount_path}/encrypt/{name}"));
  ASSERT_TRUE(help.contains("see_also"));
  EXPECT_TRUE(help["see_also"].is_null()) << "Vault's path-help cannot read a text there";
}

TEST_F(ServiceTest, WritesHelpForAnEngineAsAWhole) {
  for (const char* const path : {"transit?help=1", "transit/?help=1", "sys?help=1"}) {
    const json help = json::parse(Get(path).body);
    EXPECT_NE(help["help"].get<std::string>().find("PATHS"), std::string::npos) << path;
    EXPECT_TRUE(help["see_also"].is_null()) << path;
  }
  EXPECT_EQ(Get("nowhere?help=1").status, 404);
}

TEST_F(ServiceTest, GivesTheOpenApiDocumentToAnybody) {
  const auto answer = Send(http::Method::kGet, "sys/internal/specs/openapi", "", "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body)["openapi"], "3.0.3");
}

}  // namespace
}  // namespace coffer::api
