#include "server/operator_command.h"

#include <cstdio>
#include <utility>

#include "server/audit_device_command.h"
#include "server/backup_command.h"
#include "server/console_command.h"
#include "server/root_token.h"

namespace coffer::server {
namespace {

Status ShowRootToken(Console& console, bool replace) {
  COFFER_ASSIGN(const SecretBytes token, MakeRootToken(console, replace));
  const std::string_view text = AsText(token.Reveal());
  const int size = static_cast<int>(text.size());
  if (console.json) {
    std::printf("{\"root_token\":\"%.*s\"}\n", size, text.data());
  } else {
    std::printf("Root token: %.*s\n", size, text.data());
    std::fputs("It is shown this once and stored as a hash only.\n", stderr);
  }
  return {};
}

}  // namespace

int OperatorCommand(const std::vector<std::string>& arguments) {
  std::vector<ConsoleCommand> commands{
      {"init", "make the first root token; once",
       [](Console& console) { return ShowRootToken(console, false); }},
      {"recover-root", "replace a lost root token; needs the token's PIN",
       [](Console& console) { return ShowRootToken(console, true); }}};
  for (ConsoleCommand& command : BackupCommands()) commands.push_back(std::move(command));
  for (ConsoleCommand& command : AuditDeviceCommands()) commands.push_back(std::move(command));
  return RunConsoleCommand("operator",
                           "what an operator does on the server's console, while the server is "
                           "stopped",
                           commands, arguments);
}

}  // namespace coffer::server
