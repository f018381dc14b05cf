#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "coffer/audit/broker.h"
#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/storage/database.h"
#include "server/audit_office.h"
#include "server/config/config.h"

namespace coffer::server {

// The rooms of a server that serves nobody, for a command on the console that uses the keys or
// leaves a record in the audit trail. Its caller holds the data directory's lock.
class StoppedServer {
 public:
  struct Opening {
    std::filesystem::path database;
    keyring::StartPolicy policy;
    // Asked before the database is opened; may be empty.
    std::function<Status(keyring::Token& token)> token_check;
    // Asked on the calling thread while nobody else uses them; may be empty.
    std::function<Status(storage::Database& database, keyring::KeyRing& keys)> keys_check;
  };
  // Logs in once, with `pin` (see WithPin).
  static Result<std::unique_ptr<StoppedServer>> Open(const Config& config, const Opening& opening,
                                                     const SecretBytes& pin, Random& random,
                                                     Logger& logger);
  // The trail signs off; the database is closed and without a log.
  ~StoppedServer();
  StoppedServer(const StoppedServer&) = delete;
  StoppedServer& operator=(const StoppedServer&) = delete;

  storage::Database& Database() { return *database_; }
  keyring::Custodian& Custodian() { return *custodian_; }
  keyring::KeyRing& Keys() { return *keys_; }
  audit::Broker& Audit() { return audit_->Broker(); }
  const std::string& TokenSerial() const { return token_serial_; }
  const Clock& ItsClock() const { return clock_; }

 private:
  StoppedServer() = default;
  Status OpenRooms(const Config& config, const Opening& opening, const SecretBytes& pin,
                   Random& random, Logger& logger);

  SystemClock clock_;
  std::string token_serial_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<AuditOffice> audit_;
  std::unique_ptr<keyring::Custodian> custodian_;
  std::unique_ptr<keyring::KeyRing> keys_;
  bool recording_ = false;
};

}  // namespace coffer::server
