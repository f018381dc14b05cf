#include "coffer/cli/commands.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/completion.h"
#include "cli/exchange.h"
#include "coffer/base/standard_output.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

std::vector<Command> AllCommands() {
  std::vector<Command> commands;
  for (const auto& group : {StatusCommands(), TokenCommands(), PolicyCommands(), PathCommands(),
                            SecretsCommands(), AuditCommands(), TransitCommands(),
                            TransitKeyCommands(), OperatorCommands(), LocalCommands()}) {
    commands.insert(commands.end(), group.begin(), group.end());
  }
  return commands;
}

void PrintRow(std::string_view name, std::string_view help) {
  constexpr std::size_t kColumn = 25;
  std::string row = "  " + std::string(name);
  row.resize(std::max(row.size() + 1, 2 + kColumn), ' ');
  PrintOutput(row.append(help).append(1, '\n'));
}

void PrintHelp(std::span<const Command> commands, std::span<const Family> others) {
  PrintOutput("usage: coffer COMMAND [-address=URL] [-format=table|json|yaml] ...\n\n");
  for (const Command& command : commands) PrintRow(command.name, command.help);
  PrintRow("help [COMMAND]", "this, or a command's flags and examples");
  PrintOutput("\nOn the server's machine:\n\n");
  for (const Family& family : others) {
    std::string names(family.name);
    for (const std::string_view command : family.commands) {
      names += (command == family.commands.front() ? " " : "|") + std::string(command);
    }
    PrintOutput("  " + names + "\n      " + std::string(family.help) + "\n");
  }
  PrintOutput(
      "\nCOFFER_ADDR, COFFER_TOKEN, COFFER_CACERT, COFFER_FORMAT, ... or the same with BAO_ or "
      "VAULT_ say\nwhere the server is and who asks; without a token there, ~/.vault-token is "
      "read. "
      "coffer COMMAND -help\nhas the flags and examples.\n");
}

void PrintFlags(std::string_view title, const std::vector<Flag>& flags) {
  if (flags.empty()) return;
  std::printf("\n%.*s:\n\n", static_cast<int>(title.size()), title.data());
  for (const Flag& flag : flags) {
    const bool bare = flag.kind == Flag::Kind::kSwitch;
    PrintRow("-" + std::string(flag.name) + (bare ? "" : "=VALUE"), flag.help);
  }
}

void PrintCommandHelp(const Command& command) {
  std::printf("usage: coffer %.*s%s%.*s\n\n%.*s\n\nexamples:\n\n",
              static_cast<int>(command.name.size()), command.name.data(),
              command.synopsis.empty() ? "" : " ", static_cast<int>(command.synopsis.size()),
              command.synopsis.data(), static_cast<int>(command.help.size()), command.help.data());
  std::string_view examples = command.examples;
  while (!examples.empty()) {
    const std::size_t end = std::min(examples.find('\n'), examples.size());
    std::printf("  $ %.*s\n", static_cast<int>(end), examples.data());
    examples.remove_prefix(std::min(end + 1, examples.size()));
  }
  PrintFlags("flags", command.flags);
  PrintFlags("flags of every command that asks the server", CommonFlags(command));
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

bool IsHelp(std::string_view word) { return word == kPrintHelp || word == "-h" || word == "help"; }

// A guess at the command that was meant by words that name none.
struct Guess {
  std::string known;  // the words in front that begin some command, each with a blank after it
  std::string next;   // the commands that they could still become
};

Guess GuessCommand(std::span<const Command> commands, std::span<const Family> others,
                   const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.emplace_back(command.name);
  for (const Family& family : others) {
    for (const std::string_view command : family.commands) {
      names.push_back(std::string(family.name) + " " + std::string(command));
    }
  }
  Guess guess;
  for (const std::string& word : arguments) {
    std::string longer;
    const std::string front = guess.known + word + " ";
    for (const std::string& name : names) {
      if (name.starts_with(front)) longer.append(longer.empty() ? "" : ", ").append(name);
    }
    if (longer.empty()) break;
    guess = {front, longer};
  }
  return guess;
}

// The commands whose names begin with `front`, the client's and those of the server's machine.
int PrintGroup(std::span<const Command> commands, std::span<const Family> others,
               std::string_view front) {
  bool any = false;
  for (const Command& command : commands) {
    if (!command.name.starts_with(front)) continue;
    if (!any) {
      std::printf("usage: coffer %.*sCOMMAND\n\n", static_cast<int>(front.size()), front.data());
    }
    any = true;
    PrintRow(command.name, command.help);
  }
  const auto family = std::ranges::find(others, front.substr(0, front.size() - 1), &Family::name);
  if (family == others.end()) return kDone;
  if (any) std::printf("\nOn the server's machine:\n\n");
  return family->run({std::string(kPrintHelp)});
}

// Answers words that name no command. With a word for help it prints the commands that begin so;
// else it names the wrong word and the right ones.
int UnknownCommand(std::span<const Command> commands, std::span<const Family> others,
                   const std::vector<std::string>& arguments) {
  const Guess guess = GuessCommand(commands, others, arguments);
  if (guess.next.empty()) {
    return Complain("unknown command " + arguments.front() + "; see coffer help", kUnknownCommand);
  }
  if (IsHelp(arguments.back())) return PrintGroup(commands, others, guess.known);
  const std::size_t words = WordsIn(guess.known) - 1;
  if (words == arguments.size()) return Complain("which one: " + guess.next, kLocalFailure);
  if (arguments[words].starts_with('-')) {
    return Complain("the command goes before its flags; which one: " + guess.next, kLocalFailure);
  }
  return Complain(
      "unknown command " + guess.known + arguments[words] + "; which one: " + guess.next,
      kLocalFailure);
}

int RunCommand(const Command& command, const std::vector<std::string>& arguments) {
  const std::vector<std::string> rest(
      arguments.begin() + static_cast<std::ptrdiff_t>(WordsIn(command.name)), arguments.end());
  if (std::ranges::any_of(rest,
                          [](const auto& word) { return word == kPrintHelp || word == "-h"; })) {
    PrintCommandHelp(command);
    return kDone;
  }
  auto call = ParseInvocation(command, rest);
  if (!call) return Complain(call.error().message, kLocalFailure);
  try {
    return command.run(*call);
  } catch (const json::exception& error) {
    // 316: bytes that are not UTF-8, which only an argument or a file can bring
    return error.id == 316
               ? Complain("a value is not UTF-8: encode it in base64", kLocalFailure)
               : Complain("the server's answer has another form than expected", kLocalFailure);
  }
}

// "help transit encrypt": as "transit encrypt -help".
int Help(std::span<const Command> commands, std::span<const Family> others,
         std::vector<std::string> words) {
  std::erase_if(words, [](const std::string& word) { return IsHelp(word); });
  if (words.empty()) {
    PrintHelp(commands, others);
    return kDone;
  }
  words.emplace_back(kPrintHelp);
  if (FindCommand(commands, words) != nullptr) return Run(words, others);
  const auto family = std::ranges::find(others, words.front(), &Family::name);
  if (family == others.end() || !family->Has(words)) return Run(words, others);
  return family->run({words.begin() + 1, words.end()});
}

}  // namespace

bool Family::Has(const std::vector<std::string>& line) const {
  if (commands.empty()) return true;
  return line.size() > 1 && std::ranges::find(commands, line[1]) != commands.end();
}

std::vector<std::string> NormalizeFlags(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    const bool single_dash = argument.size() > 2 && argument[0] == '-' && argument[1] != '-';
    if (single_dash) argument.insert(0, 1, '-');
  }
  return arguments;
}

int Run(const std::vector<std::string>& arguments, std::span<const Family> others) {
  const std::vector<Command> commands = AllCommands();
  if (arguments.empty()) {
    PrintHelp(commands, others);
    return kUnknownCommand;
  }
  const std::string& first = arguments[0];
  if (first == "--version" || first == "-v") return Run({"version"}, others);
  if (IsHelp(first)) {
    return Help(commands, others, {arguments.begin() + 1, arguments.end()});
  }
  if (first.starts_with('-')) {
    return Complain("the command goes before its flags: coffer COMMAND " + first.substr(1),
                    kLocalFailure);
  }
  if (first == "complete") {
    PrintCandidates(commands, others, std::span(arguments).subspan(1));
    return kDone;
  }
  const Command* const command = FindCommand(commands, arguments);
  return command == nullptr ? UnknownCommand(commands, others, arguments)
                            : RunCommand(*command, arguments);
}

}  // namespace coffer::cli
