#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::cli {

// A family of commands, such as `coffer hsm`, that the program adds to the client's commands. The
// client needs it for help and completion. The main function owns the families. One thread.
struct Family {
  std::string_view name;
  std::string_view help;
  std::vector<std::string_view> commands;
  // Runs the words after the family's name. With kPrintHelp at their end it prints the named
  // command's help, with kPrintFlags its flags, one a line.
  int (*run)(const std::vector<std::string>& arguments) = nullptr;

  // Tells whether the command line, which begins with the family's name, names a command of this
  // family: the client has others of the same first word.
  bool Has(const std::vector<std::string>& line) const;
};

inline constexpr std::string_view kPrintHelp = "--help";
inline constexpr std::string_view kPrintFlags = "--print-flags";

// Turns each "-flag" into "--flag"; "-", "-x" and the words after "--" stay.
std::vector<std::string> NormalizeFlags(std::vector<std::string> arguments);

// Runs one client command, program name excluded. Returns the exit code, as Vault's client has it:
// 0 done, 1 wrong usage or another local failure, 2 the server's refusal or a server that cannot be
// reached (`status`: 1, and 2 where it is sealed), 127 for a word that is no command.
int Run(const std::vector<std::string>& arguments, std::span<const Family> others);

}  // namespace coffer::cli
