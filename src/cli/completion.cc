#include "cli/completion.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>

namespace coffer::cli {
namespace {

constexpr std::string_view kBash =
    R"sh(# coffer completion bash: source it, or put it in /etc/bash_completion.d
_coffer() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$(coffer complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _coffer coffer
)sh";

constexpr std::string_view kZsh = R"sh(#compdef coffer
# coffer completion zsh: as _coffer in a directory of $fpath
_coffer() { compadd -- ${(f)"$(coffer complete "${(@)words[2,CURRENT]}" 2>/dev/null)"} }
compdef _coffer coffer
)sh";

// The flags of a command that is not the client's: it knows them itself.
void PrintFlagsOfFamily(std::span<const Command> commands, std::span<const Family> others,
                        const std::string& before) {
  std::vector<std::string> words;
  std::istringstream in(before);
  for (std::string word; in >> word;) words.push_back(word);
  const bool ours = std::ranges::any_of(commands, [&](const Command& command) {
    return before.starts_with(std::string(command.name) + " ");
  });
  if (words.empty() || ours) return;
  const auto family = std::ranges::find(others, words.front(), &Family::name);
  if (family == others.end()) return;
  words.erase(words.begin());
  words.emplace_back(kPrintFlags);
  family->run(words);
}

}  // namespace

void PrintCandidates(std::span<const Command> commands, std::span<const Family> others,
                     std::span<const std::string> line) {
  std::string before;  // the command's words so far, each with a blank after it
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    if (!line[i].starts_with('-')) before += line[i] + " ";
  }
  const bool wants_flag = !line.empty() && line.back().starts_with('-');
  std::set<std::string> words;
  const auto add_next = [&](std::string_view name) {
    const std::string spaced = std::string(name) + " ";
    if (!spaced.starts_with(before) || spaced.size() == before.size()) return;
    const std::string_view rest = std::string_view(spaced).substr(before.size());
    words.emplace(rest.substr(0, rest.find(' ')));
  };
  for (const Command& command : commands) {
    add_next(command.name);
    if (!wants_flag || !before.starts_with(std::string(command.name) + " ")) continue;
    for (const Flag& flag : command.flags) words.insert("-" + std::string(flag.name));
    for (const Flag& flag : CommonFlags(command)) words.insert("-" + std::string(flag.name));
  }
  for (const Family& family : others) {
    add_next(family.name);
    for (const std::string_view command : family.commands) {
      add_next(std::string(family.name) + " " + std::string(command));
    }
  }
  for (const std::string_view own : {"help", "completion bash", "completion zsh"}) add_next(own);
  for (const std::string& word : words) std::printf("%s\n", word.c_str());
  if (wants_flag) PrintFlagsOfFamily(commands, others, before);
}

std::string_view CompletionScript(std::string_view shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : std::string_view();
}

}  // namespace coffer::cli
