#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string_view>

#include "coffer/audit/broker.h"
#include "coffer/base/logger.h"
#include "coffer/base/random.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/storage/database.h"
#include "server/config/config.h"

namespace coffer::server {

// It connects the audit trail with the token, which signs checkpoints, and records events
// that no request caused, such as scheduled rotations. The server owns it.
class SignedTrail final : public audit::CheckpointSigner, public keyring::RotationWitness {
 public:
  // Watches the database's transactions from now on. `output` is the descriptor to which a device
  // on "stdout" writes.
  SignedTrail(storage::Database& database, Random& random, const Clock& clock, Logger& logger,
              int output = STDOUT_FILENO);

  // Names the custodian and the keys whose events are recorded. Call it before the custodian's
  // Start().
  void Watch(keyring::Custodian& custodian, keyring::KeyRing& keys);
  // Opens the devices and writes the public key beside the database. Call it after Watch().
  Status Open(const Config& config);
  // Ends the devices with a last checkpoint, while the custodian still runs.
  void SignOff();
  // Closes the devices. Call it after the custodian's Stop().
  void Close() { broker_.Close(); }
  audit::Broker& Broker() { return broker_; }

  Result<Bytes> PublicKey() override;
  Result<Bytes> Sign(ByteView message) override;
  Status Begun(const Id& mount, std::string_view key, std::string_view reason) override;
  void Ended(const Id& mount, std::string_view key, const Status& outcome) override;

 private:
  Result<SecretBytes> Salt(std::string_view label);
  void WantCheckpoint();

  storage::Database& database_;
  Logger& logger_;
  audit::Broker broker_;
  keyring::Custodian* custodian_ = nullptr;
  std::atomic<bool> checkpoint_wanted_{false};
};

}  // namespace coffer::server
