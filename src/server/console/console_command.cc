#include "server/console/console_command.h"

#include <stdlib.h>

#include <filesystem>

#include "coffer/crypto/system_random.h"
#include "server/config/config_file.h"
#include "server/console/command_line.h"
#include "server/log/stderr_log.h"
#include "server/run_server.h"
#include "server/serve_command.h"
#include "server/start_check.h"

namespace coffer::server {

std::string DefaultConfig() {
  const char* const named = ::getenv("COFFER_CONFIG");
  return named == nullptr || *named == '\0' ? "/etc/coffer/coffer.hcl" : named;
}

Error NoConfig(const std::string& path) {
  return {Code::kInvalid,
          "there is no configuration " + path + ": name one with -config, or in COFFER_CONFIG",
          {}};
}

int RunConsoleCommand(const std::string& family, const std::string& help,
                      const std::vector<ConsoleCommand>& commands,
                      const std::vector<std::string>& arguments) {
  std::string path = DefaultConfig();
  std::string format = "table";
  const ConsoleCommand* chosen = nullptr;
  CLI::App app("coffer " + family + ": " + help, "coffer " + family);
  app.require_subcommand(1);
  for (const ConsoleCommand& command : commands) {
    CLI::App* const sub = app.add_subcommand(command.name, command.help);
    sub->add_option("--config", path, "the server's configuration: a file, or a directory");
    sub->add_option("--format", format, "table or json")->check(CLI::IsMember({"table", "json"}));
    if (command.declare) command.declare(*sub);
    sub->callback([&chosen, &command] { chosen = &command; });
  }
  if (const auto ended = ParseCommandLine(app, arguments)) return *ended;
  PrepareProcess();
  const bool configless = chosen->needs_no_config && chosen->needs_no_config();
  if (!configless && !std::filesystem::exists(path)) return ReportConfig(NoConfig(path));
  const auto config = configless ? Result<Config>(Config{}) : ReadConfig(path);
  if (!config) return ReportConfig(config.error());
  if (const Status safe = CheckPlaces(*config); !safe) return ReportConfig(safe.error());
  crypto::SystemRandom random;
  const auto logger = MakeStderrLog(config->log, LogWaiting::kCaller);
  ConsoleWatch watch(*logger);
  Console console{.config = *config,
                  .random = random,
                  .logger = *logger,
                  .watch = watch,
                  .json = format == "json"};
  const Status done = chosen->run(console);
  return done ? 0 : Report(done.error());
}

}  // namespace coffer::server
