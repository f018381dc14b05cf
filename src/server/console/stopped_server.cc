#include "server/console/stopped_server.h"

#include <utility>

#include "coffer/keyring/token_setup.h"
#include "server/offline.h"

namespace coffer::server {

Result<std::unique_ptr<StoppedServer>> StoppedServer::Open(const Config& config,
                                                           const Opening& opening,
                                                           const SecretBytes& pin, Random& random,
                                                           Logger& logger) {
  std::unique_ptr<StoppedServer> server(new StoppedServer());
  COFFER_TRY(server->OpenRooms(config, opening, pin, random, logger));
  if (opening.keys_check) COFFER_TRY(opening.keys_check(*server->database_, *server->keys_));
  server->audit_->Watch(*server->custodian_, *server->keys_);
  server->custodian_->Start();
  COFFER_TRY(server->audit_->Open(config));
  server->recording_ = true;
  return server;
}

Status StoppedServer::OpenRooms(const Config& config, const Opening& opening,
                                const SecretBytes& pin, Random& random, Logger& logger) {
  COFFER_ASSIGN(keyring::OpenedTokens opened, keyring::OpenTokens(config.token, pin, 1, logger));
  keyring::Token& token = *opened.custodian;
  token_serial_ = opened.serial;
  if (opening.token_check) COFFER_TRY(opening.token_check(token));
  COFFER_ASSIGN(database_, OpenDatabase(opening.database, logger));
  // Standard output is the command's own answer.
  audit_ = std::make_unique<AuditOffice>(*database_, random, clock_, logger, STDERR_FILENO);
  custodian_ = std::make_unique<keyring::Custodian>(std::move(opened.custodian),
                                                    keyring::Custodian::Options{}, clock_, logger);
  COFFER_ASSIGN(keys_,
                keyring::KeyRing::Open(*database_, *custodian_, token, std::move(opened.workers),
                                       opening.policy, random, clock_, logger));
  return {};
}

StoppedServer::~StoppedServer() {
  if (recording_) audit_->SignOff();
  if (custodian_) custodian_->Stop();
  // Also where Open() failed behind its devices: the custodian they may ask goes before them.
  if (audit_) audit_->Close();
  keys_.reset();
  custodian_.reset();
  audit_.reset();
}

}  // namespace coffer::server
