#include "server/signed_trail.h"

#include <string>
#include <utility>

#include "coffer/crypto/digest.h"
#include "coffer/crypto/ecdsa.h"
#include "server/token/secret_file.h"

namespace coffer::server {

SignedTrail::SignedTrail(storage::Database& database, Random& random, const Clock& clock,
                         Logger& logger, int output)
    : database_(database),
      logger_(logger),
      broker_({audit::SystemFiles(), random, clock, logger, output}) {
  database.AddCommitObserver(broker_);
}

void SignedTrail::Watch(keyring::Custodian& custodian, keyring::KeyRing& keys) {
  custodian_ = &custodian;
  keys.SetRotationWitness(*this);
  custodian.OnTokenChange([this](bool reachable, std::string_view cause) {
    // The error is ignored: a trail that takes no entries makes the server refuse every request
    // anyway.
    static_cast<void>(
        broker_.RecordEvent({reachable ? "token-back" : "token-lost", {{"cause", cause}}, false}));
  });
}

Status SignedTrail::Open(const Config& config) {
  audit::Broker::Custody custody;
  custody.signer = this;
  custody.salt = [this](std::string_view label) { return Salt(label); };
  custody.want_checkpoint = [this] { WantCheckpoint(); };
  COFFER_TRY(broker_.Open(database_, std::move(custody), config.audit_devices,
                          {config.audit_directory, config.audit_sockets}));
  custodian_->AddPeriodic("audit-checkpoint", std::chrono::seconds(1),
                          [this](SystemTime) { broker_.Checkpoint(); });
  return WriteSecretFile(config.data_directory / "audit-key.pem",
                         SecretBytes::CopyOf(AsBytes(broker_.PublicKeyPem())));
}

void SignedTrail::SignOff() {
  if (custodian_ == nullptr) return;
  static_cast<void>(custodian_->Run([this](keyring::Token&) -> Status {
    broker_.SignOff();
    return {};
  }));
}

// A device calls this with its lock held, so it only queues the checkpoint for the custodian.
void SignedTrail::WantCheckpoint() {
  if (checkpoint_wanted_.exchange(true)) return;
  custodian_->Post([this](keyring::Token&) -> Status {
    checkpoint_wanted_.store(false);
    broker_.Checkpoint();
    return {};
  });
}

Result<SecretBytes> SignedTrail::Salt(std::string_view label) {
  SecretBytes salt;
  COFFER_TRY(custodian_->Run([&](keyring::Token& token) -> Status {
    COFFER_ASSIGN(keyring::Mac mac, token.MetaMac(AsBytes(label)));
    salt = SecretBytes::CopyOf(mac);
    SecureWipe(mac.data(), mac.size());
    return {};
  }));
  return salt;
}

Result<Bytes> SignedTrail::PublicKey() {
  Bytes point;
  COFFER_TRY(custodian_->Run([&](keyring::Token& token) -> Status {
    COFFER_ASSIGN(point, token.AuditPoint());
    return {};
  }));
  COFFER_ASSIGN(const auto key, crypto::EcdsaP256Key::FromPoint(point));
  return key.Der();
}

Result<Bytes> SignedTrail::Sign(ByteView message) {
  const crypto::Sha256Digest digest = crypto::Sha256(message);
  Bytes signature;
  COFFER_TRY(custodian_->Run([&](keyring::Token& token) -> Status {
    COFFER_ASSIGN(signature, token.SignAudit(digest));
    return {};
  }));
  return signature;
}

Status SignedTrail::Begun(const Id& mount, std::string_view key, std::string_view reason) {
  const std::string mount_id = mount.ToUuid();
  return broker_.RecordEvent(
      {"key-rotation-started", {{"mount_id", mount_id}, {"key", key}, {"reason", reason}}, true});
}

void SignedTrail::Ended(const Id& mount, std::string_view key, const Status& outcome) {
  const std::string mount_id = mount.ToUuid();
  const std::string text = outcome ? "rotated" : outcome.error().message;
  const Status recorded = broker_.RecordEvent(
      {"key-rotation-ended", {{"mount_id", mount_id}, {"key", key}, {"outcome", text}}, true});
  if (!recorded) {
    logger_.Log(LogLevel::kError, "server", "the end of a rotation was not recorded",
                {{"key", key}, {"why", recorded.error().message}});
  }
}

}  // namespace coffer::server
