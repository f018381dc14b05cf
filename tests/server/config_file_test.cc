#include "server/config/config_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "fakes/temporary_directory.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWhole = R"(
cluster_name  = "vault of keys"
workers       = 3
drain_timeout = "25s"
key_export    = "wrapped"
listener "tcp" { address = "[::1]:8200" }
listener "unix" {
  address     = "/run/coffer/coffer.sock"
  socket_mode = "0660"
}
storage "sqlite" { path = "/var/lib/coffer" }
token {
  uri = "pkcs11:token=my%20token;serial=0a?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/coffer/pin"
  so_pin_source     = "/etc/coffer/so-pin"
  accept_readable_pin = true
  objects_directory = "/var/lib/coffer/tokens"
  verify_ecdsa_signatures = true
}
limits {
  max_connections  = 50
  max_header_bytes = 8192
  max_body_bytes   = 65536
  header_timeout   = "3s"
  body_timeout     = 4
  idle_timeout     = "1m"
  parked_timeout   = 30
  max_cached_key_bytes = 1048576
  max_key_handles      = 500
}
)";

constexpr std::string_view kMinimal = R"(
listener "tcp" { address = "127.0.0.1:0" }
storage "sqlite" { path = "/d" }
token { uri = "pkcs11:token=t?module-path=/m.so" }
)";

class ConfigFileTest : public testing::Test {
 protected:
  fs::path Write(std::string_view name, std::string_view text) const {
    const fs::path file = folder_.Path() / name;
    std::ofstream(file) << text;
    return file;
  }
  Result<Config> Read(std::string_view text) const { return ReadConfig(Write("c.hcl", text)); }
  // The error without the file's name.
  std::string ErrorOf(std::string_view text) const {
    const auto config = Read(text);
    if (config) return "accepted";
    EXPECT_EQ(config.error().code, Code::kInvalid);
    const std::string prefix = (folder_.Path() / "c.hcl").string() + ": ";
    EXPECT_TRUE(config.error().message.starts_with(prefix)) << config.error().message;
    return config.error().message.substr(std::min(prefix.size(), config.error().message.size()));
  }
  // The error of kMinimal with one more line, which is its fifth.
  std::string ErrorOfLine(std::string_view line) const {
    return ErrorOf(std::string(kMinimal) + std::string(line));
  }

  fakes::TemporaryDirectory folder_;
};

TEST_F(ConfigFileTest, ReadsEveryKey) {
  const auto config = Read(kWhole);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->dev);
  EXPECT_EQ(config->cluster_name, "vault of keys");
  EXPECT_EQ(config->drain_deadline, std::chrono::seconds(25));
  const http::Options& http = config->http;
  EXPECT_EQ(http.workers, 3U);
  ASSERT_EQ(http.listeners.size(), 2U);
  EXPECT_EQ(http.listeners[0].kind, http::Listener::Kind::kTcp);
  EXPECT_EQ(http.listeners[0].address, "[::1]:8200");
  EXPECT_EQ(http.listeners[1].kind, http::Listener::Kind::kUnix);
  EXPECT_EQ(http.listeners[1].address, "/run/coffer/coffer.sock");
  EXPECT_EQ(http.listeners[1].mode, 0660U);
  EXPECT_EQ(config->data_directory, "/var/lib/coffer");
  EXPECT_EQ(config->token.label, "my token");
  EXPECT_EQ(config->token.serial, "0a");
  EXPECT_EQ(config->token.module, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(config->token.objects_directory, "/var/lib/coffer/tokens");
  EXPECT_EQ(config->token.copies_directory, "/var/lib/coffer");
  EXPECT_TRUE(config->engine.verify_ecdsa);
  EXPECT_TRUE(config->engine.exports_keys);
  EXPECT_EQ(config->token.import_oaep, keyring::ImportedThrough::kToken);
  EXPECT_EQ(config->pin_file, "/etc/coffer/pin");
  EXPECT_EQ(config->so_pin_file, "/etc/coffer/so-pin");
  EXPECT_TRUE(config->accept_readable_pin);
  EXPECT_EQ(http.max_connections, 50U);
  EXPECT_EQ(http.max_header_bytes, 8192U);
  EXPECT_EQ(http.max_body_bytes, 65536U);
  EXPECT_EQ(http.header_timeout, std::chrono::seconds(3));
  EXPECT_EQ(http.body_timeout, std::chrono::seconds(4));
  EXPECT_EQ(http.idle_timeout, std::chrono::seconds(60));
  EXPECT_EQ(http.parked_timeout, std::chrono::seconds(30));
  EXPECT_EQ(config->cache_limits.key_bytes, 1'048'576U);
  EXPECT_EQ(config->cache_limits.handles, 500U);
}

constexpr std::string_view kTls = R"(
listener "tcp" {
  address                 = "192.0.2.1:8200"
  tls_cert_file           = "/etc/coffer/tls.pem"
  tls_key_file            = "/etc/coffer/tls.key"
  tls_client_certificates = "required"
  tls_client_ca_file      = "/etc/coffer/clients.pem"
  tls_client_crl_file     = "/etc/coffer/clients.crl"
  trusted_proxies         = ["10.0.0.0/8", "unix"]
  proxy_protocol          = true
}
listener "tcp" {
  address     = "0.0.0.0:8210"
  tls_disable = true
  health_only = true
}
limits {
  max_connections_per_address = 7
  max_parked_requests         = 8
  max_buffered_bytes          = 2097152
  min_rate                    = 9
  handshake_timeout           = "2s"
  send_timeout                = "11s"
}
)";

TEST_F(ConfigFileTest, ReadsWhatFacesTheNetwork) {
  const auto config = Read(std::string(kMinimal) + std::string(kTls));
  ASSERT_TRUE(config) << config.error().message;
  const http::Listener& listener = config->http.listeners.back();
  ASSERT_TRUE(listener.tls);
  EXPECT_EQ(listener.tls->certificate_file, "/etc/coffer/tls.pem");
  EXPECT_EQ(listener.tls->key_file, "/etc/coffer/tls.key");
  EXPECT_EQ(listener.tls->client_certificates, http::ClientCertificates::kRequired);
  EXPECT_EQ(listener.tls->client_ca_file, "/etc/coffer/clients.pem");
  EXPECT_EQ(listener.tls->client_crl_file, "/etc/coffer/clients.crl");
  EXPECT_EQ(listener.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "unix"}));
  EXPECT_TRUE(listener.proxy_protocol);
  EXPECT_FALSE(listener.plain_anywhere);
  ASSERT_EQ(config->health_listeners.size(), 1U);
  EXPECT_EQ(config->health_listeners.front().address, "0.0.0.0:8210");
  EXPECT_TRUE(config->health_listeners.front().plain_anywhere);
  EXPECT_EQ(config->http.max_connections_per_address, 7U);
  EXPECT_EQ(config->http.max_parked, 8U);
  EXPECT_EQ(config->http.max_buffered_bytes, 2097152U);
  EXPECT_EQ(config->http.min_rate, 9U);
  EXPECT_EQ(config->http.handshake_timeout, std::chrono::seconds(2));
  EXPECT_EQ(config->http.send_timeout, std::chrono::seconds(11));
  const std::string printed = EffectiveSettings(*config);
  const auto again = Read(printed);
  ASSERT_TRUE(again) << again.error().message << "\n" << printed;
  EXPECT_EQ(EffectiveSettings(*again), printed);
}

TEST_F(ConfigFileTest, RefusesListenersWhoseTlsIsHalfSaid) {
  const auto error_of = [&](std::string_view keys) {
    return ErrorOfLine("listener \"tcp\" {\n address = \"a:1\"\n" + std::string(keys) + "\n}");
  };
  EXPECT_EQ(error_of("tls_cert_file = \"/c\""),
            "line 5, column 1: \"tls_cert_file\" and \"tls_key_file\" go together");
  EXPECT_EQ(error_of("tls_cert_file = \"c\"\ntls_key_file = \"/k\""),
            "line 7, column 1: \"tls_cert_file\" must be an absolute path");
  const std::string own = "tls_cert_file = \"/c\"\ntls_key_file = \"/k\"\n";
  EXPECT_NE(error_of(own + "tls_client_certificates = \"required\""), "accepted");
  EXPECT_NE(error_of(own + "tls_client_ca_file = \"/a\""), "accepted");
  EXPECT_NE(error_of(own + "tls_client_crl_file = \"/a\""), "accepted");
  EXPECT_NE(error_of(own + "tls_client_certificates = \"yes\"\ntls_client_ca_file = \"/a\""),
            "accepted");
  EXPECT_NE(error_of(own + "tls_disable = true"), "accepted");
  EXPECT_NE(error_of("proxy_protocol = true"), "accepted");
  EXPECT_EQ(error_of(own), "accepted");
}

TEST_F(ConfigFileTest, FillsInDefaults) {
  const auto config = Read(kMinimal);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_GE(config->http.workers, 2U);
  EXPECT_EQ(config->http.max_body_bytes, http::Options{}.max_body_bytes);
  EXPECT_TRUE(config->pin_file.empty());
}

TEST_F(ConfigFileTest, ReadsJsonAlike) {
  const auto config = ReadConfig(Write("c.json", R"({
    "listener": [{"tcp": {"address": "127.0.0.1:0"}}, {"unix": {"address": "/s"}}],
    "storage": {"sqlite": {"path": "/d"}},
    "token": {"uri": "pkcs11:token=t?module-path=/m.so"}, "workers": 2})"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->http.listeners.size(), 2U);
  EXPECT_EQ(config->http.workers, 2U);
}

TEST_F(ConfigFileTest, PrintsSettingsThatReadBackTheSame) {
  for (const std::string_view text : {kWhole, kMinimal}) {
    const auto config = Read(text);
    ASSERT_TRUE(config);
    const std::string printed = EffectiveSettings(*config);
    const auto again = Read(printed);
    ASSERT_TRUE(again) << again.error().message << "\n" << printed;
    EXPECT_EQ(EffectiveSettings(*again), printed);
    EXPECT_EQ(again->token.label, config->token.label);
    EXPECT_EQ(again->pin_file, config->pin_file);
    EXPECT_EQ(again->http.listeners.back().mode, config->http.listeners.back().mode);
    EXPECT_EQ(again->drain_deadline, config->drain_deadline);
  }
}

TEST_F(ConfigFileTest, DocumentsEveryKeyThatItPrints) {
  std::ifstream in(fs::path(COFFER_SOURCE_DIR) / "docs/configuration.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const std::string printed =
      EffectiveSettings(Read(std::string(kWhole)).value()) +
      EffectiveSettings(Read(std::string(kMinimal) + std::string(kTls)).value());
  std::size_t begin = 0;
  int keys = 0;
  for (std::size_t end = 0; (end = printed.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    const std::string line = printed.substr(begin, end - begin);
    const std::size_t first = line.find_first_not_of(' ');
    if (line[first] == '}') continue;
    const std::string key = line.substr(first, line.find(' ', first) - first);
    EXPECT_NE(page.find("`" + key + "`"), std::string::npos) << key;
    ++keys;
  }
  EXPECT_GT(keys, 15);
}

TEST_F(ConfigFileTest, NamesUnknownKeysWithLineAndColumn) {
  EXPECT_EQ(ErrorOfLine("  wonder = 1"),
            "line 5, column 3: unknown key \"wonder\" in the configuration");
  EXPECT_EQ(ErrorOfLine("limits {\n  max_conections = 1\n}"),
            "line 6, column 3: unknown key \"max_conections\" in limits; did you mean "
            "\"max_connections\"?");
  EXPECT_EQ(ErrorOfLine("listener \"tcp\" { address = \"a:1\", socket_mode = \"0600\" }"),
            "line 5, column 35: unknown key \"socket_mode\" in listener \"tcp\"");
  EXPECT_EQ(ErrorOfLine("wonder { x = 1 }"),
            "line 5, column 1: unknown key \"wonder\" in the configuration");
}

TEST_F(ConfigFileTest, SaysWhereSettingsOfVaultsAre) {
  EXPECT_EQ(
      ErrorOfLine("ui = true"),
      "line 5, column 1: \"ui\" has no place in the configuration: there is no web interface");
  for (const std::string_view line : {"disable_mlock = true", "api_addr = \"https://a:1\"",
                                      "cluster_addr = \"https://a:1\"", "seal \"transit\" { }",
                                      "listener \"tcp\" {\n address = \"a:1\"\n"
                                      "x_forwarded_for_authorized_addrs = \"10.0.0.0/8\"\n}"}) {
    EXPECT_NE(ErrorOfLine(line).find("\" has no place in "), std::string::npos) << line;
  }
  EXPECT_NE(ErrorOfLine("tls_disable = true").find("it stands in a listener block"),
            std::string::npos);
  EXPECT_EQ(ErrorOfLine("listener \"tcp\" { address = \"a:1\", tls_disable = 1 }"),
            "line 5, column 49: \"tls_disable\" must be true or false, not an integer");
}

struct Refusal {
  std::string_view line;
  std::string_view error;
};

TEST_F(ConfigFileTest, RefusesValuesThatCannotBe) {
  for (const auto& [line, error] : {
           Refusal{"workers = 0", "line 5, column 11: \"workers\" must be from 1 to 64"},
           Refusal{"workers = \"2\"",
                   "line 5, column 11: \"workers\" must be an integer, not a string"},
           Refusal{
               "key_export = \"plaintext\"",
               "line 5, column 1: \"key_export\" is \"none\" or \"wrapped\": keys never leave the "
               "token in plaintext"},
           Refusal{"drain_timeout = \"2h\"",
                   "line 5, column 17: \"drain_timeout\" must be from 0 to 3600 seconds"},
           Refusal{"listener \"udp\" { address = \"a:1\" }",
                   "line 5, column 10: a listener is \"tcp\" or \"unix\", not \"udp\""},
           Refusal{"listener \"tcp\" { }", "line 5, column 1: listener \"tcp\" has no \"address\""},
           Refusal{"listener \"tcp\" { address = \"8200\" }",
                   "line 5, column 18: \"address\" must be HOST:PORT"},
           Refusal{"listener \"tcp\" { address = \"a:65536\" }",
                   "line 5, column 18: \"address\" must be HOST:PORT"},
           Refusal{"listener \"tcp\" { address = \"::1:80\" }",
                   "line 5, column 18: \"address\" must be HOST:PORT"},
           Refusal{"listener \"unix\" { address = \"rel\" }",
                   "line 5, column 19: \"address\" must be an absolute path"},
           Refusal{"listener \"unix\" {\n address = \"/s\"\n socket_mode = \"0999\" }",
                   "line 7, column 2: \"socket_mode\" must be octal digits such as \"0660\""},
           Refusal{"storage \"sqlite\" { path = \"/e\" }",
                   "line 5, column 1: \"storage\" was set before"},
           Refusal{"workers = 2\nworkers = 3", "line 6, column 1: \"workers\" was set before"},
           Refusal{"limits { max_body_bytes = 5 }",
                   "line 5, column 27: \"max_body_bytes\" must be from 1024 to 1073741824"},
           Refusal{"limits { idle_timeout = \"0s\" }",
                   "line 5, column 25: \"idle_timeout\" must be from 1 to 3600 seconds"},
       }) {
    EXPECT_EQ(ErrorOfLine(line), error) << line;
  }
}

TEST_F(ConfigFileTest, RefusesTokensThatAreNotNamedWell) {
  const auto error_of = [&](std::string_view uri, std::string_view more = "") {
    return ErrorOf(
        "listener \"tcp\" { address = \"a:1\" }\nstorage \"sqlite\" { path = \"/d\" }\n"
        "token { uri = \"" +
        std::string(uri) + "\"\n" + std::string(more) + "}");
  };
  EXPECT_EQ(error_of("pkcs11:serial=1?module-path=/m"),
            "line 3, column 9: the uri names no token: add token=LABEL");
  EXPECT_EQ(error_of("pkcs11:token=t"),
            "line 3, column 9: the uri names no module: add ?module-path=FILE");
  EXPECT_EQ(error_of("pkcs11:token=t?module-path=m.so"),
            "line 3, column 9: \"module-path\" must be an absolute path");
  EXPECT_EQ(error_of("pkcs11:token=t;model=x?module-path=/m"),
            "line 3, column 9: the uri selects by model or manufacturer: add the token's serial");
  EXPECT_EQ(error_of("pkcs11:token=t;serial=1;model=x?module-path=/m"), "accepted");
  EXPECT_NE(error_of("pkcs11:token=t?module-path=/m&pin-value=31337").find("pin-source"),
            std::string::npos);
  EXPECT_EQ(error_of("pkcs11:token=t?module-path=/m&pin-value=31337").find("31337"),
            std::string::npos);
  EXPECT_NE(error_of("pkcs11:token=t?module-path=/m&pin-source=pin").find("absolute path"),
            std::string::npos);
  EXPECT_EQ(
      error_of("pkcs11:token=t?module-path=/m", "softhsm_config = \"/nowhere\"\n"),
      "line 4, column 1: \"softhsm_config\" /nowhere cannot be read: No such file or directory");
}

TEST_F(ConfigFileTest, TakesTheObjectsDirectoryFromSoftHsmsConfigurationAsSoftHsmReadsIt) {
  const auto directory_of = [&](std::string_view text) -> std::string {
    const fs::path softhsm = Write("softhsm2.conf", text);
    const auto config = Read(
        "listener \"tcp\" { address = \"a:1\" }\nstorage \"sqlite\" { path = \"/d\" }\n"
        "token { uri = \"pkcs11:token=t?module-path=/m\", softhsm_config = \"" +
        softhsm.string() + "\" }");
    return config ? config->token.objects_directory.string() : config.error().message;
  };
  for (const std::string_view text :
       {"# c\ndirectories.tokendir =  /t o/kens \nlog.level = ERROR\n",
        "\t directories.tokendir\t=\t/t o/kens\r\n", "directories.tokendir=/t o/kens# of the tests",
        "directories.tokendir = /t o/kens = /other\n", "==directories.tokendir==/t o/kens",
        "directories.tokendir = /older\ndirectories.tokendir = /t o/kens\n",
        "directories.tokendir = /t o/kens\n#directories.tokendir = /newer\n",
        "directories.tokendir = /t o/kens\ndirectories.tokendir = # none\n"}) {
    EXPECT_EQ(directory_of(text), "/t o/kens") << text;
  }
  for (const std::string_view text :
       {"", "# directories.tokendir = /t\n", "directories.tokendir\n",
        "Directories.tokendir = /t\n", "directories.tokendir = #/t\n"}) {
    EXPECT_NE(directory_of(text).find("softhsm2.conf does not set directories.tokendir"),
              std::string::npos)
        << text;
  }
  EXPECT_NE(directory_of("directories.tokendir = tokens").find("no absolute path"),
            std::string::npos);
}

TEST_F(ConfigFileTest, SaysWhatIsMissing) {
  EXPECT_EQ(ErrorOf("storage \"sqlite\" { path = \"/d\" }"), "no token block");
  EXPECT_EQ(ErrorOf("storage \"sqlite\" { path = \"/d\" }\n"
                    "token { uri = \"pkcs11:token=t?module-path=/m\" }"),
            "no listener");
  EXPECT_EQ(ErrorOf(kMinimal.substr(0, kMinimal.find("storage"))), "no token block");
  EXPECT_FALSE(ReadConfig(folder_.Path() / "absent.hcl"));
}

TEST_F(ConfigFileTest, MergesTheFilesOfADirectoryInOrder) {
  Write("10-base.hcl", kMinimal);
  Write("20-more.json", R"({"listener": {"unix": {"address": "/s"}}, "workers": 5})");
  Write("ignored.txt", "nonsense");
  const auto config = ReadConfig(folder_.Path());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->http.listeners.size(), 2U);
  EXPECT_EQ(config->http.workers, 5U);
  const fs::path again = Write("30-again.hcl", "\nworkers = 6");
  const auto twice = ReadConfig(folder_.Path());
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message, again.string() +
                                       ": line 2, column 1: \"workers\" was set before, in " +
                                       (folder_.Path() / "20-more.json").string());
}

TEST_F(ConfigFileTest, RefusesBackupsAmongOtherFiles) {
  for (const char* const directory : {"/d", "/var/log/coffer"}) {
    const auto config = ReadConfig(
        Write("a.hcl", std::string(kMinimal) + "audit_directory = \"/var/log/coffer\"\n" +
                           "backup_directory = \"" + directory + "\"\n"));
    ASSERT_FALSE(config) << directory;
    EXPECT_NE(config.error().message.find("a.hcl: line 6, column 1: \"backup_directory\" must be a "
                                          "directory of its own"),
              std::string::npos)
        << config.error().message;
  }
}

TEST_F(ConfigFileTest, DeclaresAuditDevices) {
  const auto config = ReadConfig(Write("a.hcl", std::string(kMinimal) + R"(
audit_directory = "/var/log/coffer"
audit "file" "main" { file_path = "/var/log/coffer/audit.log" }
audit "file" "strict" {
  file_path     = "/var/log/coffer/strict.log"
  hmac_accessor = false
  sync          = "always"
  rotate_bytes  = 1048576
}
)"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->audit_directory, "/var/log/coffer");
  ASSERT_EQ(config->audit_devices.size(), 2U);
  const audit::DeviceSettings& usual = config->audit_devices[0];
  EXPECT_EQ(usual.path, "main/");
  EXPECT_TRUE(usual.declared && usual.hmac_accessor && !usual.always_sync);
  const audit::DeviceSettings& strict = config->audit_devices[1];
  EXPECT_TRUE(!strict.hmac_accessor && strict.always_sync);
  EXPECT_EQ(strict.rotate_octets, 1048576U);
  const fs::path again = Write("again.hcl", EffectiveSettings(*config));
  const auto printed = ReadConfig(again);
  ASSERT_TRUE(printed) << printed.error().message;
  EXPECT_EQ(EffectiveSettings(*printed), EffectiveSettings(*config));
}

TEST_F(ConfigFileTest, RefusesAuditDevicesThatAreNone) {
  const auto error_of = [this](std::string_view block) {
    const auto config =
        ReadConfig(Write("bad.hcl", std::string(kMinimal) + "\n" + std::string(block)));
    return config ? "none" : config.error().message;
  };
  EXPECT_NE(error_of(R"(audit "mail" "x" {})").find("\"syslog\""), std::string::npos);
  EXPECT_NE(error_of(R"(audit "file" "x" {})").find("file_path is required"), std::string::npos);
  EXPECT_NE(error_of(R"(audit "file" "x" { file_path = "relative" })").find("file_path"),
            std::string::npos);
  EXPECT_NE(error_of(R"(audit "file" "x" { file_path = "/a", sync = "never" })").find("sync"),
            std::string::npos);
  EXPECT_NE(error_of("audit \"file\" \"x\" { file_path = \"/a\" }\n"
                     "audit \"file\" \"x/\" { file_path = \"/b\" }")
                .find("declared before"),
            std::string::npos);
}

TEST_F(ConfigFileTest, RefusesADirectoryWithoutFiles) {
  const auto config = ReadConfig(folder_.Path());
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message.find("has 0 files"), std::string::npos);
}

}  // namespace
}  // namespace coffer::server
