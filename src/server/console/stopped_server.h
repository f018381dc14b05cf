#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "coffer/audit/broker.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/storage/database.h"
#include "server/config/config.h"
#include "server/foundation.h"

namespace coffer::server {

// The rooms of a server that takes no requests, for a command on the console that uses the keys or
// leaves a record in the audit trail. Its caller holds the data directory's lock.
class StoppedServer {
 public:
  struct Opening {
    std::filesystem::path database;
    keyring::StartPolicy policy;
    // Called before the database is opened; may be empty.
    std::function<Status(keyring::Token& token)> token_check;
    // Called on the calling thread while no other thread uses them; may be empty.
    std::function<Status(storage::Database& database, keyring::KeyRing& keys)> keys_check;
  };
  // Logs in once, with `pin` (see WithPin).
  static Result<std::unique_ptr<StoppedServer>> Open(const Config& config, const Opening& opening,
                                                     const SecretBytes& pin, Random& random,
                                                     Logger& logger);

  storage::Database& Database() { return rooms_.Database(); }
  keyring::Custodian& Custodian() { return rooms_.Custodian(); }
  keyring::KeyRing& Keys() { return rooms_.Keys(); }
  audit::Broker& Audit() { return rooms_.Audit().Broker(); }
  const std::string& TokenSerial() const { return rooms_.TokenSerial(); }
  const Clock& GetClock() const { return rooms_.GetClock(); }

 private:
  StoppedServer(Random& random, Logger& logger) : rooms_(random, logger) {}

  Foundation rooms_;  // at its end the trail signs off, the database is closed and without a log
};

}  // namespace coffer::server
