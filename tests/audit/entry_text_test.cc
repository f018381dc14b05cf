#include "audit/entry_text.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace coffer::audit {
namespace {

using nlohmann::json;

// The fields that Vault's documentation names for an audit entry, as paths; "chain",
// "type":"system" and http_status are our own additions (docs/audit.md).
const std::set<std::string> kDocumented{"time",
                                        "type",
                                        "error",
                                        "auth",
                                        "auth.client_token",
                                        "auth.accessor",
                                        "auth.display_name",
                                        "auth.policies",
                                        "auth.token_policies",
                                        "auth.policy_results",
                                        "auth.policy_results.allowed",
                                        "auth.policy_results.granting_policies",
                                        "auth.metadata",
                                        "auth.entity_id",
                                        "auth.token_type",
                                        "auth.token_ttl",
                                        "auth.token_issue_time",
                                        "request",
                                        "request.id",
                                        "request.client_id",
                                        "request.operation",
                                        "request.mount_point",
                                        "request.mount_type",
                                        "request.mount_accessor",
                                        "request.mount_class",
                                        "request.client_token",
                                        "request.client_token_accessor",
                                        "request.namespace",
                                        "request.namespace.id",
                                        "request.namespace.path",
                                        "request.path",
                                        "request.data",
                                        "request.remote_address",
                                        "request.remote_port",
                                        "request.wrap_ttl",
                                        "request.headers",
                                        "response",
                                        "response.mount_point",
                                        "response.mount_type",
                                        "response.mount_accessor",
                                        "response.mount_class",
                                        "response.data",
                                        "response.auth",
                                        "response.secret",
                                        "response.secret.lease_id",
                                        "response.wrap_info",
                                        "response.warnings"};
const std::set<std::string> kAdded{"response.http_status", "error_code", "error_arguments",
                                   "error_arguments.name"};

void Collect(const json& value, const std::string& prefix, std::set<std::string>& out) {
  for (const auto& [name, member] : value.items()) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    out.insert(path);
    if (member.is_object() && name != "data") Collect(member, path, out);
  }
}

class EntryTextTest : public ::testing::Test {
 protected:
  EntryTextTest() {
    caller_ = {"acc", "root", policies_, FromUnixNanoseconds(1'700'000'000'000'000'000)};
    entry_.request_id = "0f9c";
    entry_.operation = "update";
    entry_.path = "transit/encrypt/k";
    entry_.mount = {"transit/", "transit", "transit_1234"};
    entry_.remote_address = "127.0.0.1";
    entry_.remote_port = 4711;
    entry_.token = "hvs.secret";
    entry_.caller = &caller_;
    entry_.request_data = R"({"plaintext":"aGVsbG8="})";
  }
  std::string Line() {
    std::string line = BeginEntry(entry_, style_, hasher_).Text();
    FinishEntry(entry_, kNow, style_, hasher_, line);
    return line + "}";
  }
  static constexpr SystemTime kNow{std::chrono::milliseconds(1'800'000'000'123)};

  std::vector<std::string> policies_{"root", "default"};
  Caller caller_;
  Entry entry_;
  EntryStyle style_;
  SecretBytes salt_{Bytes(32, 5)};
  ValueHasher hasher_{salt_};
};

TEST_F(EntryTextTest, RequestsHaveVaultsLayout) {
  const std::string token = hasher_.Hash("hvs.secret");
  const std::string accessor = hasher_.Hash("acc");
  EXPECT_EQ(json::parse(Line()), (json{{"time", "2027-01-15T08:00:00.123Z"},
                                       {"type", "request"},
                                       {"auth",
                                        {{"client_token", token},
                                         {"accessor", accessor},
                                         {"display_name", "root"},
                                         {"policies", {"root", "default"}},
                                         {"token_policies", {"root", "default"}},
                                         {"policy_results", {{"allowed", true}}},
                                         {"token_type", "service"},
                                         {"token_issue_time", "2023-11-14T22:13:20Z"}}},
                                       {"request",
                                        {{"id", "0f9c"},
                                         {"operation", "update"},
                                         {"mount_point", "transit/"},
                                         {"mount_type", "transit"},
                                         {"mount_accessor", "transit_1234"},
                                         {"mount_class", "secret"},
                                         {"client_token", token},
                                         {"client_token_accessor", accessor},
                                         {"namespace", {{"id", "root"}}},
                                         {"path", "transit/encrypt/k"},
                                         {"data", {{"plaintext", hasher_.Hash("aGVsbG8=")}}},
                                         {"remote_address", "127.0.0.1"},
                                         {"remote_port", 4711}}}}));
}

TEST_F(EntryTextTest, WhatIsGivenBesideTheDataIsHashed) {
  entry_.type = Entry::Type::kResponse;
  entry_.response_lease = R"({"lease_id":"database/creds/r/1"})";
  entry_.response_auth = R"({"client_token":"hvs.new","token_ttl":60})";
  entry_.response_wrapping = R"({"token":"hvs.wrap","ttl":120})";
  const json response = json::parse(Line())["response"];
  EXPECT_EQ(response["secret"], json({{"lease_id", hasher_.Hash("database/creds/r/1")}}));
  EXPECT_EQ(response["auth"], json({{"client_token", hasher_.Hash("hvs.new")}, {"token_ttl", 60}}));
  EXPECT_EQ(response["wrap_info"], json({{"token", hasher_.Hash("hvs.wrap")}, {"ttl", 120}}));
}

TEST_F(EntryTextTest, EveryFieldIsAmongVaultsDocumentedOnesOrOneOfOurs) {
  entry_.type = Entry::Type::kResponse;
  entry_.response_data = R"({"ciphertext":"vault:v1:x"})";
  entry_.status = 200;
  const std::vector<std::string> warnings{"w"};
  entry_.warnings = warnings;
  entry_.error = "an error";
  entry_.error_code = "invalid";
  const RefusalArguments arguments{.name = "n"};
  entry_.error_arguments = &arguments;
  std::set<std::string> found;
  Collect(json::parse(Line()), "", found);
  for (const std::string& field : found) {
    EXPECT_TRUE(kDocumented.contains(field) || kAdded.contains(field)) << field;
  }
  for (const char* field : {"time",
                            "type",
                            "error",
                            "auth.client_token",
                            "auth.accessor",
                            "auth.display_name",
                            "auth.policies",
                            "auth.token_policies",
                            "auth.policy_results.allowed",
                            "auth.token_type",
                            "auth.token_issue_time",
                            "request.id",
                            "request.operation",
                            "request.mount_point",
                            "request.mount_type",
                            "request.mount_accessor",
                            "request.mount_class",
                            "request.client_token",
                            "request.client_token_accessor",
                            "request.namespace.id",
                            "request.path",
                            "request.data",
                            "request.remote_address",
                            "request.remote_port",
                            "response.mount_point",
                            "response.mount_type",
                            "response.mount_accessor",
                            "response.mount_class",
                            "response.data",
                            "response.warnings"}) {
    EXPECT_TRUE(found.contains(field)) << field;
  }
}

TEST_F(EntryTextTest, NothingIsInventedForAStranger) {
  entry_.caller = nullptr;
  entry_.token = {};
  entry_.mount = {};
  entry_.operation = {};
  entry_.request_data = {};
  entry_.error = "permission denied";
  const json line = json::parse(Line());
  EXPECT_EQ(line["auth"], json::object());
  EXPECT_EQ(line["error"], "permission denied");
  EXPECT_FALSE(line["request"].contains("data"));
  entry_.token = "wrong";
  EXPECT_EQ(json::parse(Line())["auth"], (json{{"client_token", hasher_.Hash("wrong")}}));
}

TEST_F(EntryTextTest, SaysWhatThePoliciesSaid) {
  const auto results = [&] { return json::parse(Line())["auth"]["policy_results"]; };
  entry_.granted_by = "root";
  EXPECT_EQ(results(), (json{{"allowed", true},
                             {"granting_policies", {{{"name", "root"}, {"type", "acl"}}}}}));
  entry_.denied = true;
  EXPECT_EQ(results(), (json{{"allowed", false}}));
  entry_.denied_because = "none grants it";
  EXPECT_EQ(results(), (json{{"allowed", false}, {"reason", "none grants it"}}));
}

TEST_F(EntryTextTest, ShowsAccessorsWhereTheDeviceIsToldSo) {
  style_.hmac_accessor = false;
  const json line = json::parse(Line());
  EXPECT_EQ(line["auth"]["accessor"], "acc");
  EXPECT_EQ(line["request"]["client_token_accessor"], "acc");
}

TEST_F(EntryTextTest, NothingAClientSendsCanBreakTheLine) {
  const std::string nasty = "a\n\r\t\x01\x7f\"\\\xff\xfe\xe2\x80\xa8}]";
  const std::vector<std::string> warnings{nasty};
  entry_.type = Entry::Type::kResponse;
  entry_.path = entry_.operation = entry_.request_id = entry_.remote_address = nasty;
  entry_.error_text = nasty;
  entry_.warnings = warnings;
  entry_.token = nasty;
  caller_.display_name = nasty;
  entry_.request_data = nasty;
  entry_.response_data = nasty;
  const std::string line = Line();
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(json::accept(line)) << line;
}

TEST_F(EntryTextTest, ACallerWhoChangedIsShownAsHeIsNow) {
  const auto auth = [&] { return json::parse(Line())["auth"]; };
  EXPECT_EQ(auth()["policies"], policies_);
  policies_ = {"default"};
  caller_.policies = policies_;
  EXPECT_EQ(auth()["policies"], policies_);
  EXPECT_EQ(auth()["token_policies"], policies_);
  caller_.display_name = "token";
  EXPECT_EQ(auth()["display_name"], "token");
  caller_.issued = FromUnixNanoseconds(0);
  EXPECT_EQ(auth()["token_issue_time"], "1970-01-01T00:00:00Z");
  style_.hmac_accessor = false;
  EXPECT_EQ(auth()["accessor"], "acc");
  entry_.denied = true;
  EXPECT_EQ(auth()["policy_results"]["allowed"], false);
  entry_.token = "hvs.other";
  caller_.accessor = "other";
  EXPECT_EQ(auth()["client_token"], hasher_.Hash("hvs.other"));
  EXPECT_EQ(auth()["accessor"], "other");
}

TEST_F(EntryTextTest, EachDeviceHasItsOwnHashesOfOneCaller) {
  for (std::uint8_t salt = 0; salt < 130; ++salt) {
    const ValueHasher own(SecretBytes(Bytes(32, salt)));
    const json auth = json::parse(BeginEntry(entry_, style_, own).Text() + "}")["auth"];
    EXPECT_EQ(auth["client_token"], own.Hash("hvs.secret"));
    EXPECT_EQ(auth["accessor"], own.Hash("acc"));
  }
}

TEST_F(EntryTextTest, AnErrorThatIsNoLiteralIsOneHash) {
  const std::string text = "illegal value aGVsbG8= at input byte 0";
  entry_.error_text = text;
  entry_.error_code = "invalid";
  const json line = json::parse(Line());
  EXPECT_EQ(line["error"], hasher_.Hash(text));
  EXPECT_EQ(line["error_code"], "invalid");
}

TEST_F(EntryTextTest, ARefusalIsShownByNameAndItsArgumentsAreHashed) {
  const RefusalArguments arguments{
      .purpose = Purpose::kSigning, .given = -3, .bound = 2, .name = "hvs.secret"};
  entry_.error = "version {given} for {purpose} is above the latest version, {bound}";
  entry_.error_code = "above_latest_version";
  entry_.error_arguments = &arguments;
  const json line = json::parse(Line());
  EXPECT_EQ(line["error_code"], "above_latest_version");
  EXPECT_EQ(line["error_arguments"], (json{{"purpose", "signing"},
                                           {"given", hasher_.Hash("-3")},
                                           {"bound", hasher_.Hash("2")},
                                           {"name", hasher_.Hash("hvs.secret")}}));
  const RefusalArguments none;
  entry_.error_arguments = &none;
  EXPECT_FALSE(json::parse(Line()).contains("error_arguments"));
}

TEST_F(EntryTextTest, ALiteralErrorIsShownWhateverWasSentBesideIt) {
  // Both values occur in the hash of the other, and in the error.
  entry_.request_data = R"({"a":"hmac","b":"sha2","c":"hmac","d":"sha256","e":"denied"})";
  entry_.error = "permission denied: hmac";
  EXPECT_EQ(json::parse(Line())["error"], "permission denied: hmac");
}

TEST_F(EntryTextTest, ADocumentStandsAsItsOpenHash) {
  const Document document{160'000, "5e884898"};
  entry_.type = Entry::Type::kResponse;
  entry_.response_document = &document;
  entry_.response_data = R"({"not":"looked at"})";
  EXPECT_EQ(json::parse(Line())["response"]["data"],
            (json{{"document", {{"octets", 160'000}, {"sha256", "5e884898"}}}}));
}

TEST_F(EntryTextTest, ALongPathOrWarningStandsAsItsBeginningAndOneHash) {
  const std::string path = "transit/encrypt/" + std::string(100'000, 'k');
  const std::vector<std::string> warnings(100, std::string(9'000'000, 'w'));
  entry_.type = Entry::Type::kResponse;
  entry_.path = path;
  entry_.warnings = warnings;
  const json line = json::parse(Line());
  EXPECT_EQ(line["request"]["path"],
            path.substr(0, 64) + "... (100016 bytes, " + hasher_.Hash(path) + ")");
  EXPECT_LT(line["response"]["warnings"].dump().size(), 16 * 256U);
  const std::string escapes(4096, '\x01');
  entry_.path = escapes;
  EXPECT_EQ(json::parse(Line())["request"]["path"],
            "... (4096 bytes, " + hasher_.Hash(escapes) + ")");
}

TEST_F(EntryTextTest, AShortLineIsBelow60000BytesWhateverIsSent) {
  const std::string escapes(100'000, '\x01');
  const std::string long_text(100'000, 'x');
  style_.short_lines = true;
  std::string names = "{\"a\":0";
  for (int i = 0; i < 2000; ++i) names += ",\"" + std::to_string(i) + "\":[]";
  names += "}";
  for (const std::string& text :
       {escapes, long_text, std::string(1024, '"'), std::string(1, 'x')}) {
    const std::vector<std::string> warnings(100, text);
    entry_.path = entry_.mount.point = text;
    entry_.warnings = warnings;
    for (const std::string& data :
         {names, "\"" + long_text + "\"", std::string("{}"), names.substr(0, 16'000) + "\":[]}"}) {
      entry_.request_data = entry_.response_data = data;
      for (const auto type : {Entry::Type::kRequest, Entry::Type::kResponse}) {
        entry_.type = type;
        const std::string line = Line();
        EXPECT_TRUE(json::accept(line));
        EXPECT_LT(line.size(), 59'000U);
      }
    }
  }
}

// Measures what both entries of the request take in the file.
class StrangersTest : public EntryTextTest {
 protected:
  StrangersTest() {
    entry_.caller = nullptr;
    entry_.request_id = "0f9c0f9c-0f9c-0f9c-0f9c-0f9c0f9c0f9c";
    entry_.remote_address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    entry_.remote_port = 65535;
    // The longest that a stranger meets: a failure is a code and one hash.
    entry_.error = "the body is of a type that is not taken: {name}";
    entry_.error_code = "unsupported_media";
    entry_.error_arguments = &arguments_;
    entry_.status = 400;
  }
  std::size_t Octets() {
    std::size_t octets = 0;
    for (const auto type : {Entry::Type::kRequest, Entry::Type::kResponse}) {
      entry_.type = type;
      std::string line = BeginEntry(entry_, style_, hasher_).Text();
      FinishEntry(entry_, kNow, style_, hasher_, line);
      EXPECT_TRUE(json::accept(line + "}"));
      SealLine({UINT64_MAX, {}}, line);
      octets += line.size();
    }
    return octets;
  }
  static std::string Repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
  }

  const std::string escapes_ = std::string(10'000, '\x01');
  const RefusalArguments arguments_{.name = escapes_};
};

TEST_F(StrangersTest, TwoEntriesTakeLessThan4KiBWhateverIsSent) {
  std::vector<std::string> texts{escapes_, "", "{", "1"};
  for (const std::size_t size :
       std::vector<std::size_t>{1, 40, 41, 42, 64, 250, 256, 257, 380, 384, 385, 100'000}) {
    texts.push_back(std::string(size, 'a'));
    texts.push_back(std::string(size, '"'));
    texts.push_back(std::string(size, '\xff'));
    texts.push_back("{\"" + std::string(size, 'a') + "\":1}");
    texts.push_back("[" + Repeated("1,", size) + "1]");
    texts.push_back("{" + Repeated("\"\":\"\",", size) + "\"\":0}");
    texts.push_back(std::string(size, '[') + std::string(size, ']'));
  }
  const std::vector<std::string> warnings(2, escapes_);
  entry_.warnings = warnings;
  std::size_t most = 0;
  for (const std::string& token : {std::string(), escapes_}) {
    entry_.token = token;
    for (const std::size_t size :
         std::vector<std::size_t>{1, 256, 512}) {  // a mount's path is no longer
      const std::string mount(size, 'm');
      entry_.mount = {mount, "transit", "transit_12345678"};
      for (const std::string& text : texts) {
        entry_.path = entry_.request_data = entry_.response_data = text;
        most = std::max(most, Octets());
      }
    }
  }
  EXPECT_LE(most, 4096U);
  EXPECT_GT(most, 3000U);
}

TEST_F(EntryTextTest, EventsSayWhatTheServerDid) {
  std::string line;
  AppendEvent({"token-lost", {{"cause", "x\ny"}}}, FromUnixNanoseconds(0), line);
  EXPECT_EQ(json::parse(line + "}"),
            (json{{"time", "1970-01-01T00:00:00Z"},
                  {"type", "system"},
                  {"system", {{"event", "token-lost"}, {"cause", "x\ny"}}}}));
}

}  // namespace
}  // namespace coffer::audit
