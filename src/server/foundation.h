#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token_setup.h"
#include "coffer/storage/database.h"
#include "server/config/config.h"
#include "server/signed_trail.h"

namespace coffer::server {

// The rooms that a running server and a command on the console both need: database, audit trail,
// custodian and keys. They are opened in the order of the functions below, each once, and closed in
// the reverse order. The caller must hold the data directory's lock. One thread may call; the
// threads that may use a room are said in its own header.
class Foundation {
 public:
  // `random` and `logger` outlive it.
  Foundation(Random& random, Logger& logger) : random_(random), logger_(logger) {}
  ~Foundation() { Close(); }
  Foundation(const Foundation&) = delete;
  Foundation& operator=(const Foundation&) = delete;

  // `audit_output`: the descriptor to which a device on "stdout" writes.
  Status OpenDatabase(const std::filesystem::path& file, int audit_output);
  Status OpenKeys(keyring::OpenedTokens opened, const keyring::StartPolicy& policy,
                  const keyring::CacheLimits& limits);
  // The custodian begins to work, so that the trail can have its signatures. Periodic jobs must be
  // added to the custodian before.
  Status BeginTrail(const Config& config);
  // The trail signs off, the custodian stops, the devices close. All users of them must have ended.
  void Close();

  storage::Database& Database() { return *database_; }
  SignedTrail& Audit() { return *audit_; }
  keyring::Custodian& Custodian() { return *custodian_; }
  keyring::KeyRing& Keys() { return *keys_; }
  const std::string& TokenSerial() const { return token_serial_; }
  const SystemClock& GetClock() const { return clock_; }

 private:
  Random& random_;
  Logger& logger_;
  SystemClock clock_;
  std::string token_serial_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<SignedTrail> audit_;
  std::unique_ptr<keyring::Custodian> custodian_;
  std::unique_ptr<keyring::KeyRing> keys_;
  bool begun_ = false;  // the custodian works
};

}  // namespace coffer::server
