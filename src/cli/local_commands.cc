// Commands that ask no server.

#include <cstdio>

#include "cli/completion.h"
#include "cli/exchange.h"

namespace coffer::cli {
namespace {

int Version(Invocation&) {
  std::puts("Coffer v0.1.0");
  return kDone;
}

int Completion(Invocation& call) {
  const std::string_view script = CompletionScript(call.words.front());
  if (script.empty()) return Complain("usage: coffer completion bash|zsh", kLocalFailure);
  std::fwrite(script.data(), 1, script.size(), stdout);
  return kDone;
}

}  // namespace

std::vector<Command> LocalCommands() {
  return {{.name = "completion",
           .synopsis = "bash|zsh",
           .help = "a script that completes commands and flags",
           .examples = "source <(coffer completion bash)\n"
                       "coffer completion zsh > ~/.zfunc/_coffer",
           .local = true,
           .least = 1,
           .most = 1,
           .run = Completion},
          {.name = "version",
           .help = "which one this is",
           .examples = "coffer version",
           .local = true,
           .run = Version}};
}

}  // namespace coffer::cli
