#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "server/config/config.h"
#include "server/console/console_watch.h"

namespace coffer::server {

// The things that every command on the server's console is given.
struct Console {
  Config config;
  Random& random;
  Logger& logger;
  ConsoleWatch& watch;
  bool json = false;  // -format=json
};

// One command of a family such as `coffer hsm`.
struct ConsoleCommand {
  const char* name;
  const char* help;
  std::function<Status(Console&)> run;
  std::function<void(CLI::App&)> declare{};  // flags and arguments of its own
  // True if the command, with the flags it was given, needs no configuration. If none is found it
  // then gets an empty one.
  std::function<bool()> needs_no_config{};
};

// COFFER_CONFIG, else /etc/coffer/coffer.hcl.
std::string DefaultConfig();
// The error for a configuration that is not there.
Error NoConfig(const std::string& path);

// Parses "<family> <name> [-config=PATH] [-format=table|json] ..." (flags with two dashes), reads
// the configuration (COFFER_CONFIG or /etc/coffer/coffer.hcl unless named) and runs the command.
// Returns the exit code: 0, 1, 2 for usage, 75 for a token that hangs, 78 for a refused PIN
// or a configuration that is none.
int RunConsoleCommand(const std::string& family, const std::string& help,
                      const std::vector<ConsoleCommand>& commands,
                      const std::vector<std::string>& arguments);

}  // namespace coffer::server
