#include "server/command_line.h"

#include <cctype>
#include <cstdio>

namespace coffer::server {
namespace {

// As the client's sentences are: a small letter first, flags with one dash.
std::string Plain(std::string text) {
  for (std::size_t at = 0; (at = text.find("--", at)) != std::string::npos; ++at) text.erase(at, 1);
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

std::string CommandsOf(const CLI::App& app) {
  std::string names;
  for (const CLI::App* const command : app.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

}  // namespace

int SayUsage(const CLI::App& app, std::string_view what) {
  std::string name = app.get_name();
  for (const CLI::App* const command : app.get_subcommands()) name += " " + command->get_name();
  std::fprintf(stderr, "coffer: %.*s; see %s -help\n", static_cast<int>(what.size()), what.data(),
               name.c_str());
  return kUsageExit;
}

std::optional<int> ParseCommandLine(CLI::App& app, const std::vector<std::string>& arguments) {
  try {
    // CLI11 wants them reversed.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    const std::string commands = CommandsOf(app);
    const bool none = !commands.empty() && app.get_subcommands().empty();
    return SayUsage(app, none ? "which one: " + commands : Plain(error.what()));
  }
  return std::nullopt;
}

}  // namespace coffer::server
