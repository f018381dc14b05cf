#include "server/console/families.h"

#include <cstdio>
#include <utility>

#include "coffer/base/standard_output.h"
#include "server/console/console_command.h"
#include "server/console/operator_commands.h"
#include "server/console/root_token.h"

namespace coffer::server {
namespace {

Status Print(const Console& console, const SecretBytes& token) {
  const std::string_view text = AsText(token.Reveal());
  std::printf(console.json ? "{\"root_token\":\"%.*s\"}\n" : "Root token: %.*s\n",
              static_cast<int>(text.size()), text.data());
  return SyncOutput();
}

Status ShowRootToken(Console& console, bool replace) {
  bool shown = false;
  const Status made = MakeRootToken(console, replace, [&](const SecretBytes& token) {
    const Status printed = Print(console, token);
    shown = printed.has_value();
    return printed;
  });
  if (made && !console.json) {
    std::fputs("It is shown this once and stored as a hash only.\n", stderr);
  }
  if (!made && shown) std::fputs("coffer: the token above is not valid\n", stderr);
  return made;
}

}  // namespace

int OperatorCommand(const std::vector<std::string>& arguments) {
  std::vector<ConsoleCommand> commands{
      {.name = "init",
       .help = "make the first root token; once",
       .run = [](Console& console) { return ShowRootToken(console, false); }},
      {.name = "recover-root",
       .help = "replace a lost root token; needs the token's PIN",
       .run = [](Console& console) { return ShowRootToken(console, true); }}};
  for (ConsoleCommand& command : BackupCommands()) commands.push_back(std::move(command));
  for (ConsoleCommand& command : AuditDeviceCommands()) commands.push_back(std::move(command));
  return RunConsoleCommand("operator",
                           "what an operator does on the server's console, while the server is "
                           "stopped",
                           commands, arguments);
}

}  // namespace coffer::server
