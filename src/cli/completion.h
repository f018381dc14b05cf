#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/invocation.h"
#include "coffer/cli/commands.h"

namespace coffer::cli {

// Prints the words that may come next after `line`'s, one a line: commands, then flags where the
// last word begins with a dash. For the scripts below.
void PrintCandidates(std::span<const Command> commands, std::span<const Family> others,
                     std::span<const std::string> line);

// A script for the shell's start-up file; empty for a shell that is neither bash nor zsh.
std::string_view CompletionScript(std::string_view shell);

}  // namespace coffer::cli
