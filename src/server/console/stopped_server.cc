#include "server/console/stopped_server.h"

#include <unistd.h>

#include <utility>

#include "coffer/keyring/token_setup.h"

namespace coffer::server {

Result<std::unique_ptr<StoppedServer>> StoppedServer::Open(const Config& config,
                                                           const Opening& opening,
                                                           const SecretBytes& pin, Random& random,
                                                           Logger& logger) {
  std::unique_ptr<StoppedServer> server(new StoppedServer(random, logger));
  COFFER_ASSIGN(keyring::OpenedTokens opened, keyring::OpenTokens(config.token, pin, 1, logger));
  if (opening.token_check) COFFER_TRY(opening.token_check(*opened.custodian));
  Foundation& rooms = server->rooms_;
  // Standard output holds the command's own answer, so audit devices on "stdout" write to standard
  // error.
  COFFER_TRY(rooms.OpenDatabase(opening.database, STDERR_FILENO));
  COFFER_TRY(rooms.OpenKeys(std::move(opened), opening.policy, {}));
  if (opening.keys_check) COFFER_TRY(opening.keys_check(rooms.Database(), rooms.Keys()));
  COFFER_TRY(rooms.BeginTrail(config));
  return server;
}

}  // namespace coffer::server
