#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "coffer/base/standard_output.h"
#include "coffer/cli/commands.h"
#include "server/console/families.h"
#include "server/process_edges.h"
#include "server/serve_command.h"

namespace {

// The families below, for help and completion.
const std::array kFamilies{
    coffer::cli::Family{.name = "server",
                        .help = "the server: [-config=FILE|DIR] [-check], or -dev [-data=DIR]",
                        .commands = {},
                        .run = coffer::server::ServeCommand},
    coffer::cli::Family{.name = "audit",
                        .help = "audit files, offline",
                        .commands = {"verify", "head", "query"},
                        .run = coffer::server::AuditCommand},
    coffer::cli::Family{.name = "hsm",
                        .help = "the token behind a server",
                        .commands = {"init", "list", "doctor", "gc", "change-pin", "rotate-master"},
                        .run = coffer::server::HsmCommand},
    coffer::cli::Family{
        .name = "operator",
        .help = "what needs the token's PIN",
        .commands = {"init", "recover-root", "restore", "verify-backup", "remove-audit-device"},
        .run = coffer::server::OperatorCommand},
    coffer::cli::Family{.name = "api-docs",
                        .help = "the API reference: -format=markdown|openapi",
                        .commands = {},
                        .run = coffer::server::ApiDocsCommand},
};

// A running server makes its backup itself: the client asks for it.
bool IsOfflineBackup(const std::vector<std::string>& arguments) {
  return arguments.size() > 1 && arguments[0] == "operator" && arguments[1] == "backup" &&
         std::ranges::find(arguments, "--offline") != arguments.end();
}

int Dispatch(const std::vector<std::string>& arguments) {
  const auto family = std::ranges::find(kFamilies, arguments.empty() ? "" : arguments.front(),
                                        &coffer::cli::Family::name);
  const bool ours =
      family != kFamilies.end() && (family->Has(arguments) || IsOfflineBackup(arguments));
  return ours ? family->run({arguments.begin() + 1, arguments.end()})
              : coffer::cli::Run(arguments, kFamilies);
}

// A command whose output was lost, on a full disk say, has not succeeded.
int WhetherOutputArrived(int code) {
  const auto arrived = coffer::FlushOutput();
  if (arrived) return code;
  std::fprintf(stderr, "coffer: %s\n", arrived.error().message.c_str());
  return code == 0 ? 1 : code;
}

}  // namespace

int main(int argc, char** argv) {
  coffer::server::SettleProcess();
  const int ended = Dispatch(coffer::cli::NormalizeFlags({argv + 1, argv + argc}));
  const int code = WhetherOutputArrived(ended);
  std::fflush(stderr);
  // The copies of the module stay loaded: their destructors must not run beside OpenSSL's own.
  ::_exit(code);
}
