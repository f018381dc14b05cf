#include "server/console/command_line.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <iterator>
#include <utility>

#include "coffer/cli/commands.h"

namespace coffer::server {
namespace {

constexpr auto kExamples = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"coffer server",
     "coffer server -config=/etc/coffer/coffer.hcl -check\n"
     "coffer server -dev -data=./data -dev-root-token-id=root"},
    {"coffer api-docs", "coffer api-docs -format=openapi > coffer-openapi.json"},
    {"coffer audit verify", "coffer audit verify -key=audit-key.pem audit.log"},
    {"coffer audit head", "coffer audit head audit.log"},
    {"coffer audit query", "coffer audit query -since=2026-11-24 -path='transit/keys/*' audit.log"},
    {"coffer hsm init", "coffer hsm init -config=/etc/coffer/coffer.hcl"},
    {"coffer hsm list", "coffer hsm list -format=json"},
    {"coffer hsm doctor", "coffer hsm doctor"},
    {"coffer hsm gc", "coffer hsm gc"},
    {"coffer hsm change-pin", "coffer hsm change-pin"},
    {"coffer hsm rotate-master", "coffer hsm rotate-master aes"},
    {"coffer operator init", "coffer operator init -format=json > root-token.json"},
    {"coffer operator recover-root", "coffer operator recover-root"},
    {"coffer operator remove-audit-device", "coffer operator remove-audit-device second/"},
    {"coffer operator backup", "coffer operator backup -offline /backups/monday"},
    {"coffer operator restore", "coffer operator restore /backups/monday"},
    {"coffer operator verify-backup", "coffer operator verify-backup /backups/monday"},
});

// Words a sentence of CLI11 as the client words its own: a small letter first, flags with one dash.
std::string Plain(std::string text) {
  for (std::size_t at = 0; (at = text.find("--", at)) != std::string::npos; ++at) text.erase(at, 1);
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

// A command, and the words in front of its own name.
struct Place {
  const CLI::App* command;
  std::string before;

  std::string Name() const { return (before.empty() ? "" : before + " ") + command->get_name(); }
};

// The command that the words lead to.
Place CommandAt(const CLI::App& app, const std::vector<std::string>& words) {
  Place at{&app, ""};
  for (const std::string& word : words) {
    const auto commands = at.command->get_subcommands({});
    const auto found = std::ranges::find_if(
        commands, [&](const CLI::App* command) { return command->get_name() == word; });
    if (found != commands.end()) at = {*found, at.Name()};
  }
  return at;
}

// Prints the help, in which flags have one dash, with examples.
void PrintHelp(const CLI::App& app, const std::vector<std::string>& words) {
  const Place place = CommandAt(app, words);
  std::string text = place.command->help(place.before);
  for (std::size_t at = 0; (at = text.find("--", at)) != std::string::npos; ++at) text.erase(at, 1);
  const auto* const found = std::ranges::find(
      kExamples, place.Name(), &std::pair<std::string_view, std::string_view>::first);
  std::fputs(text.c_str(), stdout);
  if (found == kExamples.end()) return;
  std::printf("\nexamples:\n\n");
  std::string_view lines = found->second;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    std::printf("  $ %.*s\n", static_cast<int>(end), lines.data());
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

void PrintFlags(const CLI::App& app, const std::vector<std::string>& words) {
  for (const CLI::Option* const option : CommandAt(app, words).command->get_options()) {
    for (const std::string& name : option->get_lnames()) std::printf("-%s\n", name.c_str());
  }
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
  if (!arguments.empty() && arguments.back() == cli::kPrintFlags) {
    PrintFlags(app, arguments);
    return 0;
  }
  try {
    // CLI11 expects them reversed.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success&) {
    PrintHelp(app, arguments);
    return 0;
  } catch (const CLI::ParseError& error) {
    return SayUsage(app, Plain(error.what()));
  }
  return std::nullopt;
}

}  // namespace coffer::server
