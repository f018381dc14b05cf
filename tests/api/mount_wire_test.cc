// The endpoint sys/mounts keeps, shows and refuses the same as Vault does.

#include <gtest/gtest.h>

#include <string>

#include "api/service_fixture.h"

namespace coffer::api {
namespace {

class MountWire : public ServiceTest {
 protected:
  static std::string Said(const http::Response& answer) {
    return answer.status == 400 ? ErrorOf(answer) : std::to_string(answer.status);
  }
};

TEST_F(MountWire, KeepsAndShowsTheFieldsThatClientsSend) {
  const json lists = {{"audit_non_hmac_request_keys", {"a", "b"}},
                      {"audit_non_hmac_response_keys", "c, d"},
                      {"passthrough_request_headers", {"X-A"}},
                      {"allowed_response_headers", {"X-B"}}};
  ASSERT_EQ(Post("sys/mounts/m", {{"type", "transit"},
                                  {"local", true},
                                  {"seal_wrap", "true"},
                                  {"external_entropy_access", true},
                                  {"config", lists}})
                .status,
            204);
  const json shown = DataOf(Get("sys/mounts/m"));
  EXPECT_EQ(shown["local"], true);
  EXPECT_EQ(shown["seal_wrap"], true);
  EXPECT_EQ(shown["external_entropy_access"], true);
  EXPECT_EQ(shown["config"]["audit_non_hmac_request_keys"], json({"a", "b"}));
  EXPECT_EQ(shown["config"]["audit_non_hmac_response_keys"], json({"c", "d"}));
  EXPECT_EQ(shown["config"]["passthrough_request_headers"], json::array({"X-A"}));
  EXPECT_EQ(shown["config"]["allowed_response_headers"], json::array({"X-B"}));
  EXPECT_EQ(DataOf(Get("sys/mounts"))["m/"], shown);
  ASSERT_EQ(Post("sys/mounts/m/tune", {{"audit_non_hmac_request_keys", json::array()},
                                       {"allowed_response_headers", "X-C,X-D"}})
                .status,
            204);
  const json tuned = DataOf(Get("sys/mounts/m/tune"));
  EXPECT_FALSE(tuned.contains("audit_non_hmac_request_keys"));
  EXPECT_EQ(tuned["audit_non_hmac_response_keys"], json({"c", "d"}));
  EXPECT_EQ(tuned["allowed_response_headers"], json({"X-C", "X-D"}));
  EXPECT_EQ(tuned["external_entropy_access"], true);
}

TEST_F(MountWire, AMountMadeWithoutThemSaysSo) {
  const json shown = DataOf(Get("sys/mounts/transit"));
  for (const char* const flag : {"local", "seal_wrap", "external_entropy_access"}) {
    EXPECT_EQ(shown[flag], false) << flag;
  }
  EXPECT_FALSE(shown["config"].contains("allowed_response_headers"));
}

TEST_F(MountWire, KeepsNoMoreThanAMountMayHave) {
  json options;
  for (int i = 0; i < 65; ++i) options["option" + std::to_string(i)] = "x";
  const std::string too_many = "a mount has at most 64 options";
  EXPECT_EQ(Said(Post("sys/mounts/m", {{"type", "transit"}, {"options", options}})), too_many);
  EXPECT_EQ(Said(Post("sys/mounts/transit/tune", {{"options", options}})), too_many);
  options.erase("option0");
  EXPECT_EQ(Said(Post("sys/mounts/transit/tune", {{"options", options}})), "204");
  EXPECT_EQ(Said(Post("sys/mounts/transit/tune", {{"options", {{"one-more", "x"}}}})), too_many);
  const std::string too_long =
      "a mount's description, options and lists have at most 16384 bytes together";
  const std::string text(16'385, 'd');
  for (const char* const member : {"description", "allowed_response_headers"}) {
    EXPECT_EQ(Said(Post("sys/mounts/transit/tune", {{member, text}})), too_long);
    EXPECT_EQ(Said(Post("sys/mounts/m", {{"type", "transit"}, {"config", {{member, text}}}})),
              too_long);
  }
  EXPECT_EQ(Said(Post("sys/mounts/m", {{"type", "transit"}, {"options", {{"o", text}}}})),
            too_long);
  EXPECT_EQ(Said(Post("sys/mounts/m", {{"type", "transit"}, {"description", text.substr(1)}})),
            "204");
}

TEST_F(MountWire, RefusesWhatItDoesNotHave) {
  const struct {
    json setting;
    const char* text;
  } kCases[] = {
      {{{"token_type", "service"}}, "'token_type' can only be modified on auth mounts"},
      {{{"user_lockout_config", {{"lockout_disable", true}}}},
       "tuning of user lockout configuration for auth type \"transit\" not allowed"},
      {{{"plugin_version", "v1.0.0"}}, "setting plugin_version is not supported on this server"},
      {{{"options", {{"version", "2"}}}},
       "secrets engine \"transit\" does not allow setting a version"},
  };
  for (const auto& item : kCases) {
    EXPECT_EQ(Said(Post("sys/mounts/transit/tune", item.setting)), item.text);
    EXPECT_EQ(Said(Post("sys/mounts/m", {{"type", "transit"}, {"config", item.setting}})),
              item.text);
  }
  EXPECT_EQ(
      Said(Post("sys/mounts/m", {{"type", "transit"}, {"config", {{"defualt_lease_ttl", "1h"}}}})),
      "setting defualt_lease_ttl is not supported on this server");
  EXPECT_EQ(Said(Get("sys/mounts/m")), "No secret engine mount at m/");
}

TEST_F(MountWire, TakesFieldsThatSayNothing) {
  // These parameters are sent as Go's client sends them.
  const json config = {{"options", nullptr},
                       {"default_lease_ttl", ""},
                       {"max_lease_ttl", "system"},
                       {"force_no_cache", false},
                       {"plugin_version", ""},
                       {"user_lockout_config", nullptr},
                       {"delegated_auth_accessors", json::array()}};
  EXPECT_EQ(Said(Post("sys/mounts/m", {{"type", "transit"}, {"config", config}})), "204");
  EXPECT_EQ(Said(Post("sys/mounts/m/tune", {{"default_lease_ttl", "1h"}})), "204");
  EXPECT_EQ(Said(Post("sys/mounts/m/tune", {{"default_lease_ttl", ""}})), "204");
  EXPECT_EQ(DataOf(Get("sys/mounts/m/tune"))["default_lease_ttl"], 3600);
  EXPECT_EQ(Said(Post("sys/mounts/m/tune", {{"default_lease_ttl", "system"}})), "204");
  EXPECT_EQ(DataOf(Get("sys/mounts/m"))["config"]["default_lease_ttl"], 0);
}

TEST_F(MountWire, RepeatsTheDataAtTheTop) {
  for (const char* const path : {"sys/mounts/transit", "sys/mounts/transit/tune", "sys/mounts"}) {
    const json body = json::parse(Get(path).body);
    ASSERT_FALSE(body["data"].empty());
    for (const auto& [name, value] : body["data"].items()) EXPECT_EQ(body[name], value) << name;
  }
}

TEST_F(MountWire, ListsWhatAnswersAndNothingElse) {
  const json listed = DataOf(Get("sys/mounts"));
  EXPECT_EQ(listed.size(), 2U) << listed.dump();
  EXPECT_TRUE(listed.contains("sys/"));
  EXPECT_TRUE(listed.contains("transit/"));
}

TEST_F(MountWire, ReservedWordsAreNeitherMountedNorMovedNorTakenAway) {
  for (const std::string word : {"audit", "auth", "sys", "identity", "cubbyhole"}) {
    const std::string path = "\"" + word + "/\"";
    EXPECT_EQ(Said(Post("sys/mounts/" + word, {{"type", "transit"}})), "cannot mount " + path);
    EXPECT_EQ(Said(Post("sys/mounts/" + word + "/x", {{"type", "transit"}})),
              "cannot mount \"" + word + "/x/\"");
    EXPECT_EQ(Said(Post("sys/remount", {{"from", "transit"}, {"to", word}})),
              "cannot remount to destination " + path);
    EXPECT_EQ(Said(Post("sys/remount", {{"from", word}, {"to", "x"}})), "cannot remount " + path);
    EXPECT_EQ(Said(Send(http::Method::kDelete, "sys/mounts/" + word)), "cannot unmount " + path);
  }
}

TEST_F(MountWire, AConflictIsTheCallersFault) {
  Post("sys/mounts/other", {{"type", "transit"}});
  EXPECT_EQ(Said(Post("sys/mounts/transit", {{"type", "transit"}})),
            "path is already in use at transit/");
  EXPECT_EQ(Said(Post("sys/mounts/transit/x", {{"type", "transit"}})),
            "path is already in use at transit/");
  for (const char* const to : {"transit", "transit/x", "other"}) {
    EXPECT_TRUE(Said(Post("sys/remount", {{"from", "transit"}, {"to", to}}))
                    .starts_with("path already in use at \""))
        << to;
  }
  EXPECT_EQ(Said(Post("sys/remount", {{"from", "transit"}})),
            "both 'from' and 'to' path must be specified as a string");
  EXPECT_EQ(Said(Post("sys/remount", {{"from", "none"}, {"to", "x"}})),
            "no matching mount at \"none/\"");
}

TEST_F(MountWire, ConfigKeysWithoutASettingSetsItToItsDefault) {
  Post("transit/config/keys", {{"disable_upsert", true}});
  EXPECT_EQ(DataOf(Get("transit/config/keys"))["disable_upsert"], true);
  EXPECT_EQ(DataOf(Post("transit/config/keys"))["disable_upsert"], false);
  EXPECT_EQ(DataOf(Get("transit/config/keys"))["disable_upsert"], false);
}

}  // namespace
}  // namespace coffer::api
