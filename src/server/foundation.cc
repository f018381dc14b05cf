#include "server/foundation.h"

#include <utility>

#include "server/locked_database.h"

namespace coffer::server {

Status Foundation::OpenDatabase(const std::filesystem::path& file, int audit_output) {
  COFFER_ASSIGN(database_, server::OpenDatabase(file, logger_));
  audit_ = std::make_unique<SignedTrail>(*database_, random_, clock_, logger_, audit_output);
  return {};
}

Status Foundation::OpenKeys(keyring::OpenedTokens opened, const keyring::StartPolicy& policy,
                            const keyring::CacheLimits& limits) {
  token_serial_ = opened.serial;
  custodian_ = std::make_unique<keyring::Custodian>(std::move(opened.custodian),
                                                    keyring::Custodian::Options{}, clock_, logger_);
  COFFER_ASSIGN(keys_, keyring::KeyRing::Open(*database_, *custodian_, std::move(opened.workers),
                                              policy, random_, clock_, logger_, limits));
  return {};
}

Status Foundation::BeginTrail(const Config& config) {
  audit_->Watch(*custodian_, *keys_);
  custodian_->Start();
  begun_ = true;
  COFFER_TRY(audit_->Open(config));
  for (const std::string& consequence : keys_->Consequences()) {
    COFFER_TRY(audit_->Broker().RecordEvent(
        {"accepted-by-operator", {{"consequence", consequence}}, true}));
  }
  return {};
}

void Foundation::Close() {
  if (begun_) audit_->SignOff();
  begun_ = false;
  if (custodian_) custodian_->Stop();
  // The devices are closed here even if BeginTrail() failed: they may ask the custodian for
  // checkpoints, and it is destroyed before them.
  if (audit_) audit_->Close();
}

}  // namespace coffer::server
