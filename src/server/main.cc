#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "coffer/cli/commands.h"
#include "server/api_docs_command.h"
#include "server/audit_command.h"
#include "server/hsm_command.h"
#include "server/operator_command.h"
#include "server/process_edges.h"
#include "server/serve_command.h"

namespace {

// What help and completion say of the families below.
const std::array kFamilies{
    coffer::cli::Family{"server", "the server: -config=FILE|DIR [-check], or -dev [-data=DIR]", {}},
    coffer::cli::Family{"audit", "audit files, offline", {"verify", "head", "query"}},
    coffer::cli::Family{"hsm",
                        "the token behind a server",
                        {"init", "list", "doctor", "gc", "change-pin", "rotate-master"}},
    coffer::cli::Family{"operator",
                        "what needs the token's PIN",
                        {"init", "recover-root", "restore", "verify-backup"}},
    coffer::cli::Family{"api-docs", "the API reference: -format=markdown|openapi", {}},
};

// The client has the others of its family.
bool ReadsAuditFiles(const std::vector<std::string>& arguments) {
  return arguments.size() > 1 &&
         (arguments[1] == "verify" || arguments[1] == "head" || arguments[1] == "query");
}

// A running server makes its backup itself; the client only asks for it.
bool IsForRunningServer(const std::vector<std::string>& arguments) {
  return arguments.size() > 1 && arguments[0] == "operator" && arguments[1] == "backup" &&
         std::find(arguments.begin(), arguments.end(), "--offline") == arguments.end();
}

// One line for each family of commands that are not the client's.
int Dispatch(const std::vector<std::string>& arguments) {
  const std::string family = arguments.empty() ? "" : arguments.front();
  const auto rest = [&] { return std::vector(arguments.begin() + 1, arguments.end()); };
  if (family == "server") return coffer::server::ServeCommand(rest());
  if (family == "audit" && ReadsAuditFiles(arguments)) {
    return coffer::server::AuditCommand(rest());
  }
  if (family == "hsm") return coffer::server::HsmCommand(rest());
  if (family == "api-docs") return coffer::server::ApiDocsCommand(rest());
  if (family == "operator" && !IsForRunningServer(arguments))
    return coffer::server::OperatorCommand(rest());
  return coffer::cli::Run(arguments, kFamilies);
}

}  // namespace

int main(int argc, char** argv) {
  coffer::server::SettleProcess();
  const int code = Dispatch(coffer::cli::NormalizeFlags({argv + 1, argv + argc}));
  std::fflush(stdout);
  std::fflush(stderr);
  // The copies of the module stay loaded: their destructors must not run beside OpenSSL's own.
  ::_exit(code);
}
