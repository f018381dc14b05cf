#include "server/serve_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "coffer/crypto/system_random.h"
#include "server/config/config_file.h"
#include "server/console/command_line.h"
#include "server/console/console_command.h"
#include "server/dev_mode.h"
#include "server/log/stderr_log.h"
#include "server/run_server.h"
#include "server/start_check.h"

namespace coffer::server {
namespace {

struct Flags {
  DevFlags dev_flags;
  bool dev = false;
  std::string config;
  bool check = false;
  keyring::StartPolicy start_policy;
  std::string log_level;
  std::string log_format;
};

void Declare(CLI::App& app, Flags& flags) {
  CLI::Option* const config =
      app.add_option("--config", flags.config,
                     "the configuration: a file, or a directory of them (default: COFFER_CONFIG, "
                     "else /etc/coffer/coffer.hcl)");
  CLI::Option* const check = app.add_flag(
      "--check", flags.check,
      "print what the configuration comes to and all that a start would refuse; start nothing");
  CLI::Option* const dev =
      app.add_flag("--dev", flags.dev, "a local server on a SoftHSM token made for it")
          ->excludes(config)
          ->excludes(check);
  const auto dev_only = [&](const char* name, std::string& value, const char* help) {
    app.add_option(name, value, help)->needs(dev);
  };
  dev_only("--data", flags.dev_flags.data,
           "where everything is kept (default: a fresh temporary directory)");
  dev_only("--dev-root-token-id", flags.dev_flags.root_token_id,
           "the root token (default: random, kept)");
  dev_only("--dev-listen-address", flags.dev_flags.listen_address,
           "HOST:PORT (default 127.0.0.1:8200)");
  app.add_flag("--dev-no-store-token", flags.dev_flags.no_store_token,
               "do not write the root token into ~/.vault-token for as long as the server runs")
      ->needs(dev);
  app.add_flag("--dev-tls", flags.dev_flags.tls,
               "HTTPS, with a certificate made for it; prints which authority to trust")
      ->needs(dev);
  dev_only("--dev-unix-socket", flags.dev_flags.unix_socket,
           "path of the socket (default DIR/coffer.sock)");
  dev_only("--dev-module", flags.dev_flags.module, "the PKCS#11 module (default Debian's SoftHSM)");
  app.add_option("--dev-import-oaep", flags.dev_flags.import_oaep,
                 "token or process: where RSA-OAEP of imported keys is undone (default process on "
                 "SoftHSM, which unwraps with SHA-1 only)")
      ->needs(dev)
      ->check(CLI::IsMember({"token", "process"}));
  app.add_flag("--dev-key-export", flags.dev_flags.key_export,
               "keys may be created exportable and wrapped for other servers")
      ->needs(dev);
  app.add_option("--log-level", flags.log_level, "debug, info, warn or error")
      ->check([](const std::string& text) {
        return ParseLevel(text) ? "" : "is debug, info, warn or error";
      });
  app.add_option("--log-format", flags.log_format, "standard or json")
      ->check(CLI::IsMember({"standard", "json"}));
  app.add_option(
      "--accept-rollback", flags.start_policy.accept_rollback_to,
      "start on an older database of this epoch; every key is rotated before its next use");
  app.add_flag("--accept-damaged-rows", flags.start_policy.accept_damaged_rows,
               "start although key rows were removed or changed");
}

// Flags of the command line override the settings of the configuration.
void Override(const Flags& flags, Config& config) {
  config.start_policy = flags.start_policy;
  if (!flags.log_level.empty()) config.log.level = *ParseLevel(flags.log_level);
  if (!flags.log_format.empty()) {
    config.log.format = flags.log_format == "json" ? LogFormat::kJson : LogFormat::kStandard;
  }
}

// Prints all faults for which a start would be refused.
Status CheckOnly(const Config& config) {
  const std::vector<Error> refusals = FindRefusals(config);
  for (const Error& refusal : refusals) Report(refusal);
  if (refusals.empty()) {
    std::fputs(
        "coffer: nothing here keeps a server from starting; what token and database hold was not "
        "looked at\n",
        stderr);
    return {};
  }
  return Fail(refusals.front().code,
              "a server would not start, or not serve all that is configured: " +
                  std::to_string(refusals.size()) +
                  (refusals.size() == 1 ? " reason" : " reasons"));
}

Status ServeDev(const Flags& flags) {
  COFFER_TRY(CheckDevAddress(flags.dev_flags));
  COFFER_ASSIGN(const DevDirectory directory, DevDirectory::Make(flags.dev_flags.data));
  crypto::SystemRandom random;
  COFFER_ASSIGN(Config config, MakeDevConfig(flags.dev_flags, directory.Path(), random));
  Override(flags, config);
  std::optional<DevTokenFile> token_file;
  if (!flags.dev_flags.no_store_token) token_file.emplace(config.root_token.value());
  const auto logger = MakeStderrLog(config.log, LogWaiting::kNobody);
  return RunServer(config, {}, random, *logger);
}

Status Serve(const Flags& flags) {
  if (flags.dev) return ServeDev(flags);
  auto config = ReadConfig(flags.config);
  if (!config) return Fail(config.error());
  if (flags.check) {
    std::fputs(EffectiveSettings(*config).c_str(), stdout);
    return CheckOnly(*config);
  }
  COFFER_TRY(CheckPlaces(*config));
  Override(flags, *config);
  const auto logger = MakeStderrLog(config->log, LogWaiting::kNobody);
  const ReadAgain read_again = [&flags] {
    auto configured = ReadConfig(flags.config);
    if (configured) Override(flags, *configured);
    return configured;
  };
  crypto::SystemRandom random;
  return RunServer(*config, read_again, random, *logger);
}

}  // namespace

int Report(const Error& error) {
  std::fprintf(stderr, "coffer: %s\n", error.message.c_str());
  if (!error.cause.empty()) std::fprintf(stderr, "coffer: cause: %s\n", error.cause.c_str());
  const bool pin = error.code == Code::kPinIncorrect || error.code == Code::kPinLocked;
  return pin ? kConfigExit : 1;
}

// An invalid configuration has the same exit code as a refused PIN, so that a supervisor does not
// try again.
int ReportConfig(const Error& error) {
  Report(error);
  return kConfigExit;
}

int ServeCommand(const std::vector<std::string>& arguments) {
  Flags flags;
  CLI::App app("coffer server: keys in a PKCS#11 token behind Vault's HTTP API", "coffer server");
  Declare(app, flags);
  if (const auto ended = ParseCommandLine(app, arguments)) return *ended;
  if (!flags.dev && flags.config.empty()) flags.config = DefaultConfig();
  if (!flags.dev && !std::filesystem::exists(flags.config)) {
    Error missing = NoConfig(flags.config);
    missing.message += "; coffer server -dev needs none";
    return ReportConfig(missing);
  }
  PrepareProcess();
  const Status done = Serve(flags);
  if (done) return 0;
  const bool config = done.error().code == Code::kInvalid && !flags.dev;
  return config ? ReportConfig(done.error()) : Report(done.error());
}

}  // namespace coffer::server
