#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "cli/target.h"
#include "coffer/base/result.h"

namespace coffer::cli {

inline constexpr int kDone = 0;
// The exit codes are those of Vault's client: one for faults that the caller can mend locally, one
// for faults of the server or the way to it.
inline constexpr int kLocalFailure = 1;   // flags, words, files
inline constexpr int kRemoteFailure = 2;  // refused, not reached, or (status) sealed
inline constexpr int kUnknownCommand = 127;

inline constexpr std::size_t kAnyNumber = 10'000;  // of words

// A flag of one command.
struct Flag {
  enum class Kind { kText, kSwitch, kDuration, kNumber, kPair };
  std::string_view name;  // without dashes
  Kind kind = Kind::kText;
  std::string_view help;
};

// The ways in which a command can show its answer, by flags.
enum class Shows { kNothing, kFormats, kFields };

// One call of a command: its flags and words, and the way to the server.
struct Invocation {
  Target target;
  Format format = Format::kTable;
  std::string field;
  bool print_policy = false;  // the rule that allows the request instead of the request
  // The command's own flags, each with its values in their order.
  std::map<std::string, std::vector<std::string>, std::less<>> flags;
  std::vector<std::string> words;

  bool Has(std::string_view flag) const { return flags.contains(flag); }
  // The last value of the flag.
  std::string Get(std::string_view flag, std::string_view otherwise = {}) const;
};

struct Command {
  std::string_view name;        // "secrets enable"
  std::string_view synopsis{};  // "[-path=PATH] TYPE"
  std::string_view help;
  std::string_view examples;  // one a line
  std::vector<Flag> flags{};
  Shows shows = Shows::kNothing;
  bool local = false;     // asks no server
  std::size_t least = 0;  // words
  std::size_t most = 0;
  int (*run)(Invocation& call) = nullptr;
};

// The commands of each group are in the file of its name.
std::vector<Command> AuditCommands();
std::vector<Command> LocalCommands();
std::vector<Command> OperatorCommands();
std::vector<Command> PathCommands();
std::vector<Command> PolicyCommands();
std::vector<Command> StatusCommands();
std::vector<Command> SecretsCommands();
std::vector<Command> TokenCommands();
std::vector<Command> TransitCommands();
std::vector<Command> TransitKeyCommands();

// The flags that every command takes, and those by which it shows its answer.
std::vector<Flag> CommonFlags(const Command& command);

// Splits `arguments` (the words after the command's name) into flags and words; reads the
// environment.
Result<Invocation> ParseInvocation(const Command& command,
                                   const std::vector<std::string>& arguments);

}  // namespace coffer::cli
