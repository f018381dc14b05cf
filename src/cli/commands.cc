#include "coffer/cli/commands.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/completion.h"
#include "cli/invocation.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::string_view kVersion = "Coffer v0.1.0";

std::vector<Command> AllCommands() {
  std::vector<Command> commands;
  for (const auto& group : {StatusCommands(), PathCommands(), SecretsCommands(), AuditCommands(),
                            TransitCommands(), OperatorCommands()}) {
    commands.insert(commands.end(), group.begin(), group.end());
  }
  return commands;
}

void PrintHelp(std::span<const Command> commands, std::span<const Family> others) {
  std::printf(
      "usage: coffer COMMAND [-address=URL] [-format=table|json|yaml] [-field=NAME] ...\n\n");
  for (const Command& command : commands) {
    std::printf("  %-22.*s %.*s\n", static_cast<int>(command.name.size()), command.name.data(),
                static_cast<int>(command.help.size()), command.help.data());
  }
  std::printf("  %-22s %s\n", "completion bash|zsh", "a script that completes commands and flags");
  std::printf("  %-22s %s\n\nOn the server's machine:\n\n", "version, help", "");
  for (const Family& family : others) {
    std::string names(family.name);
    for (const std::string_view command : family.commands) {
      names += (command == family.commands.front() ? " " : "|") + std::string(command);
    }
    std::printf("  %s\n      %.*s\n", names.c_str(), static_cast<int>(family.help.size()),
                family.help.data());
  }
  std::printf(
      "\nCOFFER_ADDR, COFFER_TOKEN, COFFER_CACERT, COFFER_FORMAT, ... or the same with VAULT_ say "
      "where the server\nis and who asks; without a token there, ~/.vault-token is read. coffer "
      "COMMAND -help has the flags.\n");
}

void PrintFlags(const std::vector<Flag>& flags) {
  for (const Flag& flag : flags) {
    const std::string name = std::string(flag.name) + (flag.switches ? "" : "=VALUE");
    std::printf("  -%-24s %.*s\n", name.c_str(), static_cast<int>(flag.help.size()),
                flag.help.data());
  }
}

void PrintCommandHelp(const Command& command) {
  std::printf("usage: coffer %.*s %.*s\n\n%.*s\n\n", static_cast<int>(command.name.size()),
              command.name.data(), static_cast<int>(command.synopsis.size()),
              command.synopsis.data(), static_cast<int>(command.help.size()), command.help.data());
  PrintFlags(command.flags);
  PrintFlags(CommonFlags());
}

std::size_t WordsIn(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count(name, ' ')) + 1;
}

// The command whose words stand at the front of `arguments`.
const Command* FindCommand(std::span<const Command> commands,
                           const std::vector<std::string>& arguments) {
  for (const Command& command : commands) {
    const std::size_t words = WordsIn(command.name);
    if (arguments.size() < words) continue;
    std::string front = arguments[0];
    for (std::size_t i = 1; i < words; ++i) front += " " + arguments[i];
    if (front == command.name) return &command;
  }
  return nullptr;
}

bool IsHelp(std::string_view word) { return word == "--help" || word == "-h" || word == "help"; }

// The commands that the words could still become, or that there is none. Asked for help, it is one.
int UnknownCommand(std::span<const Command> commands, std::span<const Family> others,
                   const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.emplace_back(command.name);
  for (const Family& family : others) {
    for (const std::string_view command : family.commands) {
      names.push_back(std::string(family.name) + " " + std::string(command));
    }
  }
  std::string front;
  std::string next;
  for (const std::string& word : arguments) {
    std::string longer;
    front += word + " ";
    for (const std::string& name : names) {
      if (name.starts_with(front)) longer.append(longer.empty() ? "" : ", ").append(name);
    }
    if (longer.empty()) break;
    next = longer;
  }
  if (!next.empty() && IsHelp(arguments.back())) {
    std::printf("usage: coffer COMMAND, one of: %s\n", next.c_str());
    return kDone;
  }
  return Complain(next.empty() ? "unknown command " + arguments.front() + "; see coffer help"
                               : "which one: " + next,
                  kLocalFailure);
}

int RunCommand(const Command& command, const std::vector<std::string>& arguments) {
  const std::vector<std::string> rest(
      arguments.begin() + static_cast<std::ptrdiff_t>(WordsIn(command.name)), arguments.end());
  if (std::ranges::any_of(rest,
                          [](const auto& word) { return word == "--help" || word == "-h"; })) {
    PrintCommandHelp(command);
    return kDone;
  }
  auto call = ParseInvocation(command, rest);
  if (!call) return Complain(call.error().message, kLocalFailure);
  try {
    return command.run(*call);
  } catch (const json::exception& error) {
    // 316: octets that are not UTF-8, which only an argument or a file can bring
    return error.id == 316
               ? Complain("a value is not UTF-8: encode it in base64", kLocalFailure)
               : Complain("the server's answer has another form than expected", kLocalFailure);
  }
}

}  // namespace

std::vector<std::string> NormalizeFlags(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    if (argument.size() > 2 && argument[0] == '-' && argument[1] != '-') argument.insert(0, 1, '-');
  }
  return arguments;
}

int Run(const std::vector<std::string>& arguments, std::span<const Family> others) {
  const std::vector<Command> commands = AllCommands();
  if (arguments.empty()) return Complain("no command; see coffer help", kLocalFailure);
  const std::string& first = arguments.front();
  if (IsHelp(first) && arguments.size() > 1) {  // "help secrets list"
    std::vector<std::string> asked(arguments.begin() + 1, arguments.end());
    asked.emplace_back("--help");
    return Run(asked, others);
  }
  if (IsHelp(first)) {
    PrintHelp(commands, others);
    return kDone;
  }
  if (first == "version" || first == "--version" || first == "-v") {
    std::printf("%s\n", kVersion.data());
    return kDone;
  }
  if (first == "complete") {
    const std::string words = Candidates(commands, others, std::span(arguments).subspan(1));
    std::fputs(words.c_str(), stdout);
    return kDone;
  }
  if (first == "completion") {
    const std::string_view script = CompletionScript(arguments.size() == 2 ? arguments[1] : "");
    if (script.empty()) return Complain("usage: coffer completion bash|zsh", kLocalFailure);
    std::fwrite(script.data(), 1, script.size(), stdout);
    return kDone;
  }
  const Command* const command = FindCommand(commands, arguments);
  return command == nullptr ? UnknownCommand(commands, others, arguments)
                            : RunCommand(*command, arguments);
}

}  // namespace coffer::cli
