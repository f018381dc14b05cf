#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "cli/vault_client.h"
#include "coffer/base/result.h"

namespace coffer::cli {

inline constexpr int kDone = 0;
// As Vault's client: what the caller can mend at home, and what came of asking the server.
inline constexpr int kLocalFailure = 1;   // flags, words, files
inline constexpr int kRemoteFailure = 2;  // refused, not reached, or (status) sealed

// A flag of one command.
struct Flag {
  std::string_view name;  // without dashes
  bool switches = false;  // takes no value
  std::string_view help;
};

// One call of a command: its flags and words, and the way to the server.
struct Invocation {
  Target target;
  Format format = Format::kTable;
  std::string field;
  std::map<std::string, std::string, std::less<>> flags;  // the command's own
  std::vector<std::string> words;

  bool Has(std::string_view flag) const { return flags.contains(flag); }
  std::string Get(std::string_view flag, std::string_view otherwise = {}) const;
};

struct Command {
  std::string_view name;      // "secrets enable"
  std::string_view synopsis;  // "[-path=PATH] TYPE"
  std::string_view help;
  std::vector<Flag> flags;
  std::size_t least = 0;  // words
  std::size_t most = 0;
  int (*run)(Invocation& call) = nullptr;
};

// Each in the file of its name.
std::vector<Command> AuditCommands();
std::vector<Command> OperatorCommands();
std::vector<Command> PathCommands();
std::vector<Command> StatusCommands();
std::vector<Command> SecretsCommands();
std::vector<Command> TransitCommands();

// The flags that every command takes.
const std::vector<Flag>& CommonFlags();

// Splits `arguments` (behind the command's name) into flags and words; reads the environment.
Result<Invocation> ParseInvocation(const Command& command,
                                   const std::vector<std::string>& arguments);

// The sentence on standard error; returns `code`.
int Complain(std::string_view sentence, int code);

// An answer's JSON on standard output, as the flags say.
int Show(const Invocation& call, std::string_view json);
// One request and its answer's Show(). Where the answer has no body `success` is said instead,
// unless a format for programs is asked for.
int Exchange(Invocation& call, std::string_view method, const std::string& path,
             const std::string& body, std::string_view success = "Success!");
// Likewise a LIST. As JSON or YAML it is the names alone, as Vault's client has it.
int ExchangeList(Invocation& call, const std::string& path);
// One request whose answer the command uses itself; `code` is set where there is none, and why is
// said. kNotFound where the server has nothing there.
Result<Answer> Ask(Invocation& call, std::string_view method, const std::string& path,
                   const std::string& body, int& code);

// A file's content, or standard input's for "-".
Result<std::string> ReadAll(const std::string& file);
// NAME=VALUE words, "@FILE" and "-" as a JSON object; a VALUE "@FILE" or "-" is read, "\@..." is
// "@...". A NAME that stands several times is a list.
Result<std::string> BodyOf(const std::vector<std::string>& words, std::size_t first);
// NAME=VALUE words as "?name=value&...", escaped.
Result<std::string> QueryOf(const std::vector<std::string>& words, std::size_t first);
// Without slashes at the begin.
std::string PathOf(std::string path);
// Nor at the end.
std::string MountOf(std::string path);

}  // namespace coffer::cli
